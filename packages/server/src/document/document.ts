import type { Link, Patch } from "@holdfast/protocol";
import { canonicalJson, hashOf } from "@holdfast/protocol/internal";
import { difference } from "./difference.js";

/**
 * A document as it is stored and sent: JSON, and the metadata from which superjson restores dates
 * and other types.
 */
export interface DocumentContent {
  readonly data: unknown;
  readonly meta?: unknown;
}

/** The state of a channel's document: present in a version, or deleted for a reason. */
export type StoredDocument =
  | { readonly name: "there"; readonly version: number; readonly content: DocumentContent }
  | { readonly name: "deleted"; readonly version: number; readonly reason: string };

/**
 * Every 32nd version is sent with its hash: often enough for clients to find a difference soon, and
 * rarely enough that the cost is negligible.
 */
const HASH_EVERY = 32;

/** The string that the broker stores for a document. */
export function keptText(kept: StoredDocument): string {
  const { version } = kept;
  return JSON.stringify(
    kept.name === "there"
      ? { version, state: kept.content.data, meta: kept.content.meta }
      : { version, deleted: kept.reason },
  );
}

/**
 * Parses a stored string.
 *
 * @throws Error if the string is not a stored Holdfast document
 */
export function readKept(text: string): StoredDocument {
  const { version, state, meta, deleted } = JSON.parse(text) as { [name: string]: unknown };
  if (!Number.isSafeInteger(version)) throw new Error("The stored text is not a Holdfast document.");
  if (typeof deleted === "string") return { name: "deleted", version: version as number, reason: deleted };
  if (typeof state !== "object" || state === null) throw new Error("The stored text is not a Holdfast document.");
  return { name: "there", version: version as number, content: { data: state, ...(meta !== undefined && { meta }) } };
}

/**
 * The publication that changes a document from `before` to `after`, as the broker stores it: the
 * wire message without its channel and link. Undefined if both are the same. `text` is the stored
 * string of `after`.
 */
export function changeText(
  before: StoredDocument | undefined,
  after: StoredDocument,
  text = keptText(after),
): string | undefined {
  const { version } = after;
  if (after.name === "deleted") return JSON.stringify({ type: "state_deleted", data: { reason: after.reason } });
  const was: DocumentContent = before?.name === "there" ? before.content : { data: undefined };
  const { data, meta } = after.content;
  // If the store has lost the previous document, clients may still have its metadata, so the
  // metadata is sent.
  const isSameMeta = before?.name === "there" && canonicalJson(was.meta) === canonicalJson(meta);
  const found = difference(was.data, data, text.length);
  if (found.length === 0 && isSameMeta) return undefined;
  // An empty list of patches would announce a snapshot. If only the metadata has changed (a string
  // is a BigInt now), the whole document is replaced.
  const patches: Patch[] = found.length > 0 ? found : [{ op: "replace", path: [], value: data }];
  return JSON.stringify({
    type: "state_update",
    data: { version, patches, ...(version % HASH_EVERY === 0 && { hash: hashOf(data) }) },
    ...(!isSameMeta && { meta: meta ?? {} }),
  });
}

/** A change without patches. Its link keeps the chain complete, and a snapshot follows. */
export function blankText(channel: string, version: number, metadata: Link): string {
  return JSON.stringify({ type: "state_update", channel, data: { version, patches: [] }, metadata });
}
