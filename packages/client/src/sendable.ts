import { HoldfastError } from "@holdfast/protocol";

/**
 * Every server accepts a message of this size: a `subscribe` of one channel with the longest name
 * and position takes 884 bytes. `createServer` refuses a lower `limits.messageBytes`.
 */
const LEAST_BYTES = 1_024;

/**
 * The most bytes in all frames before the greeting (`connected`), without `auth`. A server closes
 * with 4400 if more than 64 KiB or 128 reads arrive before the greeting. Half of the bytes are
 * reserved for `auth`, and the cost of 600 bytes per frame allows at most 54 frames.
 */
const EARLY_BYTES = 32_768;
const FRAME_COST = 600;

/** The most channels in one message. A message has fewer if it would exceed the server's limit. */
const MOST_NAMES = 100;
/** The size of a `subscribe` or `unsubscribe` without its names. */
const ENVELOPE_BYTES = 80;

/**
 * Tracks which messages the server accepts. The server announces its limit in `connected`. Before
 * the greeting, the limit of the previous connection applies. A newly deployed server or a proxy
 * may accept less: on close code 1009, the limit becomes half of the longest message that was sent.
 * The retry therefore does not fail with the same message.
 */
export interface Sendable {
  /**
   * Returns an error if the frame exceeds the server's limit. Undefined if the frame is within the
   * limit, or if the limit is not known yet.
   */
  fault(frame: string, where?: string, field?: string): HoldfastError | undefined;
  /**
   * Splits a list into parts that each fit into one message. An item that is too large for any
   * message becomes its own part.
   */
  split<Item>(items: readonly Item[], asSent: (item: Item) => unknown): Item[][];
  /**
   * Returns true if the frame may be sent before the greeting, and counts the frame. If one frame
   * has to wait, all later frames wait too.
   */
  isEarly(frame: string): boolean;
  /** Records a frame that is sent. */
  sent(frame: string): void;
  /** Called before a socket is opened with this `auth`. Returns an error if `auth` is too large. */
  open(auth: string): HoldfastError | undefined;
  greeted(messageBytes: number): void;
  /**
   * Called when the connection was closed with 1009. Returns an error if the messages cannot be
   * made smaller.
   */
  tooBig(): HoldfastError | undefined;
}

export function createSendable(): Sendable {
  let announced = 0;
  /** True if the next server is expected to accept the announced size. */
  let isKnown = false;
  /** The limit that close code 1009 revealed. */
  let most = Infinity;
  let longest = "";
  let early = 0;

  const limit = (unknown: number): number => Math.min(isKnown ? announced : unknown, most);

  const fault: Sendable["fault"] = (frame, where, field) => tooLarge(frame, limit(Infinity), where, field);

  return {
    fault,
    split(items, asSent) {
      const chunks: (typeof items)[number][][] = [];
      let left = 0;
      for (const item of items) {
        const bytes = utf8Length(JSON.stringify(asSent(item))) + 1;
        if (bytes > left || chunks.at(-1)!.length === MOST_NAMES) {
          chunks.push([]);
          left = limit(LEAST_BYTES) - ENVELOPE_BYTES;
        }
        left -= bytes;
        chunks.at(-1)!.push(item);
      }
      return chunks;
    },
    isEarly(frame) {
      early -= tooLarge(frame, limit(LEAST_BYTES)) ? EARLY_BYTES : utf8Length(frame) + FRAME_COST;
      return early >= 0;
    },
    sent(frame) {
      if (frame.length > longest.length) longest = frame;
    },
    open(auth) {
      longest = "";
      early = EARLY_BYTES;
      const error = fault(auth, "auth", "token");
      // The client stops. After the next connect() the server may be another one.
      if (error) forget();
      return error;
    },
    greeted(messageBytes) {
      // If the announced limit has changed, the server was deployed again, so the revealed limit is
      // outdated.
      if (messageBytes !== announced) most = Infinity;
      announced = messageBytes;
      isKnown = true;
    },
    tooBig() {
      const error = tooLarge(longest, LEAST_BYTES) ? undefined : refused(longest, "less");
      if (error) forget();
      else most = Math.max(LEAST_BYTES, utf8Length(longest) >> 1);
      // Messages before the greeting may have used the limit of an earlier deployment.
      isKnown = false;
      return error;
    },
  };

  function forget(): void {
    isKnown = false;
    most = Infinity;
  }
}

function tooLarge(frame: string, most: number, where?: string, field?: string): HoldfastError | undefined {
  // A UTF-16 unit takes at most three bytes in UTF-8.
  return frame.length * 3 > most && utf8Length(frame) > most ? refused(frame, most, where, field) : undefined;
}

/** Takes the message type from the start of the frame: `{"type":"ack",`. */
function refused(frame: string, most: number | string, where = frame.split('"')[3], field = "data"): HoldfastError {
  const sentence = `${where}: ${utf8Length(frame)} bytes; the server accepts ${most}.`;
  return new HoldfastError("LIMIT_EXCEEDED", sentence, { field, remedy: "Send less data." });
}

/**
 * The length in bytes. TextEncoder is missing on some React Native engines, so the text is
 * percent-encoded and each `%xx` counts as one byte.
 */
function utf8Length(json: string): number {
  return encodeURIComponent(json).replace(/%../g, "-").length;
}
