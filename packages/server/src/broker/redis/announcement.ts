import type { TableEntry, Publication } from "../broker.js";

/**
 * Announcements, the messages of Redis pub/sub between brokers. Their format is
 * `offset:idBytes:prevBytes:entryBytes:`, followed by id, prev, entry and body.
 *
 * The format uses lengths instead of JSON because the Lua script that appends a publication also
 * writes the announcement, and copying the unparsed body costs the script nothing. The offset is 0
 * if the topic has neither a log nor a table, and so no chain.
 */
export function announcement(id: string, body: string): string {
  return `0:${Buffer.byteLength(id)}:0:0:${id}${body}`;
}

const HEAD = /^(\d{1,16}):(\d{1,4}):(\d{1,4}):(\d{1,9}):/;
/** Upper bound on the length of the head in bytes. */
const HEAD_BYTES = 48;

/**
 * Parses an announcement. Returns undefined for bytes that no broker can have sent, because any
 * client of this Redis can publish on the channel.
 */
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
  // A publication without a chain needs no id.
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
