import {
  HoldfastError,
  type KeyOf,
  type ProtocolDefinition,
  type Protocol,
  type SentDocumentOf,
  type DocumentChannelName,
  type DocumentOf,
} from "@holdfast/protocol";
import { isPlainObject } from "../call-options.js";

/** A document in the application's own database. */
export interface LoadedDocument<Document> {
  /**
   * Undefined, with a version: it was deleted in that version, and there is none until it is set
   * again.
   */
  readonly document: Document | undefined;
  /**
   * What `save` was given with it; versions go on from there. At most 2^52; 0 counts as 1. As
   * drivers give a column of 64 bits: a number, a bigint, or a text of digits. @default 1
   */
  readonly version?: number | bigint | string | undefined;
}

/** How a channel's documents belong to the application's own database. */
export interface DocumentHooks<Document = unknown, Sent = Document, Key = string | undefined> {
  /**
   * Asked for a document that the broker does not have: undefined, there is none. Without it, what
   * the broker has is all there is. It must not wait for a change of the same document, and has
   * `requestTimeoutMs`; then whoever asks is told UNAVAILABLE.
   * @default none
   */
  readonly load?: (question: {
    readonly key: Key;
  }) => LoadedDocument<Sent> | undefined | Promise<LoadedDocument<Sent> | undefined>;
  /**
   * Given every new version, and again the one there is when a change has changed nothing; of
   * several that come while it runs, the last one. `document` is undefined where the document was
   * deleted. Two instances may save at the same time: keep the higher version, that of a deleted
   * document included. Versions rise; only where Redis has lost changes, as in a failover, do they
   * start anew from what it has. It must not wait for a change of the same document, and has
   * `requestTimeoutMs`; then, or when it throws, whoever made the change is told NOT_SAVED, and the
   * next change saves it, also one that changes nothing. One that was given up may still end, late.
   * @default none
   */
  readonly save?: (saved: {
    readonly key: Key;
    readonly document: Document | undefined;
    readonly version: number;
  }) => unknown;
  /**
   * How long the broker keeps a document that nobody reads, writes or watches. Milliseconds; no
   * less than the 30 days for which it remembers where a channel stands.
   * @default 30 days
   */
  readonly keepMs?: number | undefined;
}

/** The hooks by channel. */
export type DocumentOptions<P extends ProtocolDefinition> = {
  readonly [C in DocumentChannelName<P>]?: DocumentHooks<DocumentOf<P, C>, SentDocumentOf<P, C>, KeyOf<P, C>>;
};

export const KEEP_MS = 30 * 86_400_000;
const HOOKS = ["load", "save", "keepMs"];

/** @throws HoldfastError INVALID_OPTION */
export function documentHooksOf(protocol: Protocol, options: object | undefined): ReadonlyMap<string, DocumentHooks> {
  const hooks = new Map<string, DocumentHooks>();
  for (const [name, given] of Object.entries(options ?? {}) as [string, DocumentHooks | undefined][]) {
    if (!protocol.channels.get(name)?.document) fail(name, "is no channel that declares a document");
    if (given === undefined) continue;
    if (!mayHoldHooks(given)) fail(name, "expected an object with load, save or keepMs");
    for (const key of Object.keys(given)) if (!HOOKS.includes(key)) fail(`${name}.${key}`, "is not an option");
    for (const key of ["load", "save"] as const)
      if (given[key] !== undefined && typeof given[key] !== "function") fail(`${name}.${key}`, "expected a function");
    const { keepMs = KEEP_MS } = given;
    if (!(Number.isSafeInteger(keepMs) && keepMs >= KEEP_MS))
      fail(`${name}.keepMs`, `expected a whole number of milliseconds, at least ${KEEP_MS}`);
    hooks.set(name, given);
  }
  return hooks;
}

/**
 * An instance of a class may bring hooks as methods. Any other, such as a Promise, would leave the
 * documents without hooks.
 */
function mayHoldHooks(given: unknown): boolean {
  return isPlainObject(given) || (typeof given === "object" && given !== null && ("load" in given || "save" in given));
}

function fail(name: string, sentence: string): never {
  throw new HoldfastError("INVALID_OPTION", `createServer: documents.${name}: ${sentence}.`, {
    field: `documents.${name}`,
  });
}
