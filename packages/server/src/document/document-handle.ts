import {
  type ChannelId,
  type ChannelName,
  HoldfastError,
  type ProtocolDefinition,
  type SentDocumentOf,
  type DocumentOf,
} from "@holdfast/protocol";
import { documentFault } from "@holdfast/protocol/internal";
import { checkOptions } from "../call-options.js";
import type { Unawaited } from "../observe/unawaited.js";
import type { Documents, DocumentWritten } from "./documents.js";

export interface DeleteDocumentOptions {
  /** Why, for those who are on the channel; at most 256 characters. @default "deleted" */
  readonly reason?: string | undefined;
}

/**
 * The document of a channel, on whatever instance. Everything rejects with UNAVAILABLE where the
 * broker cannot be reached, within about two seconds, or where `load` takes longer than
 * `requestTimeoutMs`: then a change may or may not have been made, and nothing but the document
 * itself can say; where it was made it is saved later. It rejects with what `load` throws; and
 * `get` and `update` with INTERNAL, or INVALID_VALUE of what was loaded, where what there is can be
 * no document.
 */
export interface DocumentHandle<Document, Sent = Document> {
  /** The document, or undefined where there is none. The caller's own copy. */
  get(): Promise<Document | undefined>;
  /**
   * Makes this the document, whatever it was; what differs is sent to those who watch it. Resolves
   * when the broker has it and, where there is a hook, `save` has finished. Rejects with
   * INVALID_VALUE, naming the field; LIMIT_EXCEEDED, where it takes more than
   * `limits.documentBytes`; DOCUMENT_CONFLICT, after five tries; NOT_SAVED.
   */
  set(document: Sent): Promise<DocumentWritten<Document>>;
  /**
   * Makes this the document if there is none. If several callers do so at once, on whatever
   * instances, the document is made by one of them, which is answered as by `set`, NOT_SAVED
   * included. All others resolve with undefined, whether or not it could be saved.
   */
  create(document: Sent): Promise<DocumentWritten<Document> | undefined>;
  /**
   * Changes the document: `change` is given a copy, changes it or returns another, and may be
   * called again where others were first. It must not be asynchronous, nor do both. What it throws
   * is what this rejects with, and then nothing was changed. Otherwise as `set`; and
   * DOCUMENT_NOT_FOUND where there is no document.
   */
  update(change: (draft: Document) => Sent | void): Promise<DocumentWritten<Document>>;
  /**
   * Deletes the document, and ends the channel for everyone on it; nobody can join it until there
   * is a document again. Resolves with whether there was one. Rejects with INVALID_OPTION for the
   * reason; DOCUMENT_CONFLICT and NOT_SAVED, as `set`.
   */
  delete(options?: DeleteDocumentOptions): Promise<boolean>;
}

const MAX_REASON = 256;

export function documentHandle<P extends ProtocolDefinition, C extends ChannelName<P>>(
  documents: Documents,
  id: ChannelId,
  unawaited: Unawaited,
): DocumentHandle<DocumentOf<P, C>, SentDocumentOf<P, C>> {
  const watch = <Value>(call: string, run: () => Promise<Value>): Promise<Value> =>
    // Async, so that what a call throws is a rejection like any other.
    unawaited(`document.${call}`, { channel: id.wire }, (async () => run())());
  const handle: DocumentHandle<unknown> = {
    get: () => watch("get", () => documents.get(id)),
    set: (document) => watch("set", () => documents.set(id, document)),
    create: (document) => watch("create", () => documents.create(id, document)),
    update: (change) =>
      watch("update", async () => {
        if (typeof change === "function") return documents.update(id, change);
        throw new HoldfastError("INVALID_VALUE", `${id.wire}: update: expected a function.`, { field: "update" });
      }),
    delete: (options = {}) =>
      watch("delete", async () => {
        checkOptions("delete", options, ["reason"]);
        const { reason = "deleted" } = options;
        // It travels with the answers to all who join, so what no peer would read must not be in
        // it.
        const fault =
          typeof reason === "string" && reason.length <= MAX_REASON
            ? documentFault([reason], "reason")?.message
            : `reason: expected a text of at most ${MAX_REASON} characters.`;
        if (fault === undefined) return documents.delete(id, reason);
        throw new HoldfastError("INVALID_OPTION", `${id.wire}: delete: ${fault}`, { field: "reason" });
      }),
  };
  // Validated by the schema that the types are inferred from.
  return handle as never;
}
