import type { Link, Patch } from "@holdfast/protocol";
import { canonicalJson, hashOf } from "@holdfast/protocol/internal";
import { difference } from "./difference.js";

/** A document as it is kept and sent: JSON, with what superjson needs to bring back the rest. */
export interface DocumentContent {
  readonly data: unknown;
  readonly meta?: unknown;
}

/** What a channel's document is: there in some version, or gone for a reason. */
export type StoredDocument =
  | { readonly name: "there"; readonly version: number; readonly content: DocumentContent }
  | { readonly name: "deleted"; readonly version: number; readonly reason: string };

/**
 * The hash goes with every so many versions: often enough to find a difference soon, seldom enough
 * to cost nothing.
 */
const HASH_EVERY = 32;

/** The text that the broker keeps. */
export function keptText(kept: StoredDocument): string {
  const { version } = kept;
  return JSON.stringify(
    kept.name === "there"
      ? { version, state: kept.content.data, meta: kept.content.meta }
      : { version, deleted: kept.reason },
  );
}

/** @throws Error when it is not one of ours */
export function readKept(text: string): StoredDocument {
  const { version, state, meta, deleted } = JSON.parse(text) as { [name: string]: unknown };
  if (!Number.isSafeInteger(version)) throw new Error("It is no document.");
  if (typeof deleted === "string") return { name: "deleted", version: version as number, reason: deleted };
  if (typeof state !== "object" || state === null) throw new Error("It is no document.");
  return { name: "there", version: version as number, content: { data: state, ...(meta !== undefined && { meta }) } };
}

/**
 * The publication that makes one document of another, as the broker keeps it: the message without
 * its channel and its place. Undefined: they are the same. `text` is the whole of the one after it.
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
  // Where the store has lost the one before, copies may still have what described that.
  const isSameMeta = before?.name === "there" && canonicalJson(was.meta) === canonicalJson(meta);
  const found = difference(was.data, data, text.length);
  if (found.length === 0 && isSameMeta) return undefined;
  // No patches would mean that a snapshot follows. Only what the JSON stands for has changed: a
  // text is a BigInt now.
  const patches: Patch[] = found.length > 0 ? found : [{ op: "replace", path: [], value: data }];
  return JSON.stringify({
    type: "state_update",
    data: { version, patches, ...(version % HASH_EVERY === 0 && { hash: hashOf(data) }) },
    ...(!isSameMeta && { meta: meta ?? {} }),
  });
}

/** A change as it stands in the chain, where a snapshot follows that makes its patches needless. */
export function blankText(channel: string, version: number, metadata: Link): string {
  return JSON.stringify({ type: "state_update", channel, data: { version, patches: [] }, metadata });
}
