import type { TableEntry, Publication } from "../broker.js";

/**
 * What goes through pub/sub: `offset:bytes of id:of prev:of entry:`, then id, prev, entry and body.
 * Lengths rather than JSON, because the script that appends has to write it, and a body that is
 * copied costs it nothing. An offset of 0 says that the topic has neither log nor table, so that
 * there is nothing to link.
 */
export function announcement(id: string, body: string): string {
  return `0:${Buffer.byteLength(id)}:0:0:${id}${body}`;
}

const HEAD = /^(\d{1,16}):(\d{1,4}):(\d{1,4}):(\d{1,9}):/;
/** Longer than any head. */
const HEAD_BYTES = 48;

/** Undefined for what no broker has announced: anyone who may use the Redis can publish there. */
export function readAnnouncement(bytes: Buffer): Publication | undefined {
  const head = HEAD.exec(bytes.toString("latin1", 0, HEAD_BYTES));
  if (!head) return undefined;
  const [offset, ...lengths] = head.slice(1).map(Number) as [number, number, number, number];
  let at = head[0].length;
  const [id, prev, entryText] = lengths.map((length) => bytes.toString("utf8", at, (at += length))) as [
    string,
    string,
    string,
  ];
  if (at > bytes.length || !Number.isSafeInteger(offset)) return undefined;
  const body = bytes.toString("utf8", at);
  // What has no place needs no name either.
  if (offset === 0) return { body };
  if (id === "") return undefined;
  const entry = entryText === "" ? undefined : readEntry(entryText);
  if (entryText !== "" && !entry) return undefined;
  return { body, link: { offset, id, prev }, entry };
}

export function writeEntry(entry: TableEntry): string {
  return JSON.stringify(entry.value === undefined ? [entry.field] : [entry.field, entry.value]);
}

export function readEntry(text: string): TableEntry | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(read)) return undefined;
  const [field, value] = read as unknown[];
  if (typeof field !== "string" || (value !== undefined && typeof value !== "string")) return undefined;
  return { field, value };
}
