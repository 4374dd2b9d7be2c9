import {
  type ChannelId,
  type ChannelName,
  HoldfastError,
  type ProtocolDefinition,
  type SentDocumentOf,
  type DocumentOf,
} from "@holdfast/protocol";
import { documentFault } from "@holdfast/protocol/internal";
import { checkOptions, received } from "../call-options.js";
import type { Unawaited } from "../observe/unawaited.js";
import type { Documents, DocumentWritten } from "./documents.js";

export interface DeleteDocumentOptions {
  /**
   * The reason that members of the channel receive, at most 256 characters.
   * @default "deleted"
   */
  readonly reason?: string | undefined;
}

/**
 * The document of a channel, shared by all instances.
 *
 * If the broker cannot be reached, every call rejects with UNAVAILABLE within about two seconds.
 * Calls also reject with UNAVAILABLE if `load` takes longer than `requestTimeoutMs`. A change may
 * nevertheless have been stored, and only reading the document shows whether the broker stored the
 * change. If there is a `save` hook, the stored document is saved later. Every call also rejects
 * with the errors of `load`. `get`, `create` and `update` reject with INTERNAL if the stored
 * document is invalid, and with INVALID_VALUE if the loaded document is invalid.
 */
export interface DocumentHandle<Document, Sent = Document> {
  /**
   * Resolves with your own copy of the document, or with undefined if the channel has no document.
   */
  get(): Promise<Document | undefined>;
  /**
   * Replaces the document, or creates it. Members of the channel receive the difference. Resolves
   * when the broker has stored the document and, if there is a `save` hook, `save` has finished.
   *
   * @throws HoldfastError (rejects)
   * - INVALID_VALUE if the document does not match the schema; `field` names the place
   * - LIMIT_EXCEEDED if the document is larger than `limits.documentBytes`
   * - DOCUMENT_CONFLICT if other changes were faster five times in a row
   * - NOT_SAVED if the change was made, but `save` failed
   */
  set(document: Sent): Promise<DocumentWritten<Document>>;
  /**
   * Creates the document if the channel has none; otherwise resolves with undefined. If several
   * calls create the document at the same time, on any instances, only one call succeeds, and only
   * that call can reject with NOT_SAVED. The other errors are those of `set`.
   */
  create(document: Sent): Promise<DocumentWritten<Document> | undefined>;
  /**
   * Changes the document. `change` receives a copy, and either changes the copy or returns a new
   * document, but not both. `change` must not be asynchronous, and is called again if another
   * instance was faster. If `change` throws, nothing is changed and the call rejects with that
   * error. If the channel has no document, the call rejects with DOCUMENT_NOT_FOUND. The other
   * errors are those of `set`.
   */
  update(change: (draft: Document) => Sent | void): Promise<DocumentWritten<Document>>;
  /**
   * Deletes the document and ends the channel for all members. No client can join the channel until
   * the channel has a document again. Resolves with true if there was a document.
   *
   * @throws HoldfastError (rejects) INVALID_OPTION for a wrong reason; DOCUMENT_CONFLICT and
   *   NOT_SAVED as `set`
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
    // Async, so that errors thrown by a call become rejections.
    unawaited(`document.${call}`, { channel: id.wire }, (async () => run())());
  const handle: DocumentHandle<unknown> = {
    get: () => watch("get", () => documents.get(id)),
    set: (document) => watch("set", () => documents.set(id, document)),
    create: (document) => watch("create", () => documents.create(id, document)),
    update: (change) =>
      watch("update", async () => {
        if (typeof change === "function") return documents.update(id, change);
        throw new HoldfastError("INVALID_VALUE", `${id.wire}: update: expected a function, ${received(change)}.`, {
          field: "update",
        });
      }),
    delete: (options = {}) =>
      watch("delete", async () => {
        checkOptions("delete", options, ["reason"]);
        const { reason = "deleted" } = options;
        // The reason is sent to every client that tries to join, so the reason must be valid in a
        // wire message.
        const fault =
          typeof reason === "string" && reason.length <= MAX_REASON
            ? documentFault([reason], "reason")?.message
            : `reason: expected a string of at most ${MAX_REASON} characters.`;
        if (fault === undefined) return documents.delete(id, reason);
        throw new HoldfastError("INVALID_OPTION", `${id.wire}: delete: ${fault}`, { field: "reason" });
      }),
  };
  // The schema from which the types are inferred also validates the values.
  return handle as never;
}
