import {
  HoldfastError,
  type KeyOf,
  type ProtocolDefinition,
  type Protocol,
  type SentDocumentOf,
  type DocumentChannelName,
  type DocumentOf,
} from "@holdfast/protocol";
import { isPlainObject, received } from "../call-options.js";

/** A document as your database has it. */
export interface LoadedDocument<Document> {
  /**
   * The document. Undefined, together with a `version`, if the document was deleted in that
   * version; then the channel has no document until you set a document.
   */
  readonly document: Document | undefined;
  /**
   * The version that `save` received with the document. Later versions continue from this version.
   * A number, bigint or string of digits, whichever your driver returns for a column of 64 bits, at
   * most 2^52. 0 counts as 1.
   * @default 1
   */
  readonly version?: number | bigint | string | undefined;
}

/** Connects the documents of a channel to your own database. */
export interface DocumentHooks<Document = unknown, Sent = Document, Key = string | undefined> {
  /**
   * Loads a document that the broker does not have. Return undefined if there is no document.
   * `load` must not wait for a change of the same document. If `load` takes longer than
   * `requestTimeoutMs`, the call that needs the document rejects with UNAVAILABLE.
   * @default none: documents exist only in the broker
   */
  readonly load?: (question: {
    readonly key: Key;
  }) => LoadedDocument<Sent> | undefined | Promise<LoadedDocument<Sent> | undefined>;
  /**
   * Saves a document. `save` is called with each new version, and again with the current version
   * after a change without effect. If several versions arrive while `save` runs, only the latest is
   * saved next. `document` is undefined if the document was deleted.
   *
   * Two instances may save at the same time: keep the higher version, even if the document was
   * deleted in that version. Versions rise, unless Redis loses changes, for example in a failover.
   * Versions then continue from the version that Redis has.
   *
   * `save` must not wait for a change of the same document. If `save` throws or takes longer than
   * `requestTimeoutMs`, the change rejects with NOT_SAVED, and the next change saves the document,
   * even if that change has no effect. A `save` that took too long may still finish later.
   * @default none
   */
  readonly save?: (saved: {
    readonly key: Key;
    readonly document: Document | undefined;
    readonly version: number;
  }) => unknown;
  /**
   * How long the broker keeps a document after the last read, write or member of its channel, in
   * milliseconds. At least 30 days, the time for which the broker remembers the position of a
   * channel.
   * @default 30 days
   */
  readonly keepMs?: number | undefined;
}

/** The hooks of each channel that declares a document. */
export type DocumentOptions<P extends ProtocolDefinition> = {
  readonly [C in DocumentChannelName<P>]?: DocumentHooks<DocumentOf<P, C>, SentDocumentOf<P, C>, KeyOf<P, C>>;
};

export const KEEP_MS = 30 * 86_400_000;
const HOOKS = ["load", "save", "keepMs"];

/**
 * Checks the option `documents`.
 *
 * @throws HoldfastError INVALID_OPTION
 */
export function documentHooksOf(protocol: Protocol, options: object | undefined): ReadonlyMap<string, DocumentHooks> {
  const hooks = new Map<string, DocumentHooks>();
  for (const [name, given] of Object.entries(options ?? {}) as [string, DocumentHooks | undefined][]) {
    if (!protocol.channels.get(name)?.document) fail(name, "the protocol has no such channel with a document");
    if (given === undefined) continue;
    if (!mayHoldHooks(given)) fail(name, `expected an object with load, save or keepMs, ${received(given)}`);
    for (const key of Object.keys(given))
      if (!HOOKS.includes(key)) fail(`${name}.${key}`, "is not an option; the options are load, save, keepMs");
    for (const key of ["load", "save"] as const)
      if (given[key] !== undefined && typeof given[key] !== "function")
        fail(`${name}.${key}`, `expected a function, ${received(given[key])}`);
    const { keepMs = KEEP_MS } = given;
    if (!(Number.isSafeInteger(keepMs) && keepMs >= KEEP_MS))
      fail(`${name}.keepMs`, `expected a whole number of milliseconds, at least ${KEEP_MS}, ${received(keepMs)}`);
    hooks.set(name, given);
  }
  return hooks;
}

/**
 * Instances of a class are accepted if they have hooks as methods. Other objects, such as a
 * Promise, would leave the documents without hooks.
 */
function mayHoldHooks(given: unknown): boolean {
  return isPlainObject(given) || (typeof given === "object" && given !== null && ("load" in given || "save" in given));
}

function fail(name: string, sentence: string): never {
  throw new HoldfastError("INVALID_OPTION", `createServer: documents.${name}: ${sentence}.`, {
    field: `documents.${name}`,
  });
}
