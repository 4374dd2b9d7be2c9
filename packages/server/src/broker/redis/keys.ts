/**
 * The Redis keys of one topic. The part in braces decides the slot, so all keys of a topic belong
 * to the same slot of a cluster.
 */
export interface TopicKeys {
  readonly slot: number;
  /**
   * A hash with the epoch, the offset and id of the latest publication, the document, and the time
   * to live of meta and table.
   */
  readonly meta: string;
  /** A stream with explicit ids: `<offset>-0`. */
  readonly log: string;
  /** A hash with the fields of the table. */
  readonly table: string;
  /** The pub/sub channel of the announcements. */
  readonly channel: string;
  /** A hash with the position of the publication that has this idempotency key. */
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
 * Escapes a string so that no brace in the string closes the braces around the string, and so that
 * different strings stay different. Lone surrogates are escaped because UTF-8 would turn each of
 * them into the same replacement character.
 */
function safe(text: string): string {
  return text.replace(/[%{}\p{Cs}]/gu, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * The slot of a key, as computed by Redis: the CRC-16 (XMODEM) of the part in the first braces,
 * modulo 16,384. If the key has no braces, or nothing in the first braces, the whole key counts.
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
