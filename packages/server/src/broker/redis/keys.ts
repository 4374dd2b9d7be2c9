/**
 * Where a topic's things are in Redis. All of them are in one slot of a cluster: the part in braces
 * decides it.
 */
export interface TopicKeys {
  readonly slot: number;
  /**
   * A hash: epoch, offset and id of the last publication, and how long they and the table are kept.
   */
  readonly meta: string;
  /** A stream with explicit ids, `<offset>-0`. */
  readonly log: string;
  /** A hash. */
  readonly table: string;
  /** The pub/sub channel. */
  readonly channel: string;
  /** What was published under an idempotency key. */
  key(key: string): string;
}

export function topicKeys(prefix: string, topic: string): TopicKeys {
  const tag = `{${prefix}:${safe(topic)}}`;
  return {
    slot: slotOf(tag),
    meta: `${tag}:meta`,
    log: `${tag}:log`,
    table: `${tag}:table`,
    channel: `${tag}:said`,
    key: (key) => `${tag}:key:${safe(key)}`,
  };
}

/**
 * Any text, injectively, as text that cannot end the braces it stands in and that UTF-8 can hold: a
 * lone surrogate would become the same replacement character as every other.
 */
function safe(text: string): string {
  return text.replace(/[%{}\p{Cs}]/gu, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * The slot of a key: CRC-16 (XMODEM) of what stands between its first brace and the next, modulo
 * 16,384.
 */
export function slotOf(key: string): number {
  const open = key.indexOf("{");
  const close = key.indexOf("}", open + 1);
  const hashed = open >= 0 && close > open + 1 ? key.slice(open + 1, close) : key;
  let crc = 0;
  for (const byte of Buffer.from(hashed)) crc = ((crc << 8) ^ table[((crc >> 8) ^ byte) & 0xff]!) & 0xffff;
  return crc & 16_383;
}

const table = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});
