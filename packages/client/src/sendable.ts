import { HoldfastError } from "@holdfast/protocol";

/**
 * Every server accepts a message of this size: a `subscribe` of one channel with the longest name
 * and position takes 884 bytes. `createServer` refuses a lower `limits.messageBytes`.
 */
const LEAST_BYTES = 1_024;

/**
 * Before its greeting a server takes 64 KiB, in 128 reads, and closes with 4400 if more comes. Half
 * of it is left for `auth`, and the cost of a frame leaves room for 54.
 */
const EARLY_BYTES = 32_768;
const FRAME_COST = 600;

/** The names in one message, as long as it is no larger than the server accepts. */
const MOST_NAMES = 100;
/** A `subscribe` or `unsubscribe` without the names in it. */
const ENVELOPE_BYTES = 80;

/**
 * Knows which messages can be sent. The server announces its limit in `connected`; messages that
 * leave before the greeting go by the limit of the connection before. A server that was deployed
 * anew, or a proxy, may accept less: if it closes with 1009, the limit becomes half of the longest
 * message sent, so the same message is never sent again.
 */
export interface Sendable {
  /**
   * Why a frame can never be sent to this server; undefined if it can, or if the server is not
   * known yet.
   */
  fault(frame: string, where?: string, field?: string): HoldfastError | undefined;
  /**
   * The parts of a list that fit into a message each. An item that fits into none is a part of its
   * own.
   */
  split<Item>(items: readonly Item[], asSent: (item: Item) => unknown): Item[][];
  /** Whether a frame can leave before the greeting. If one has to wait, all later ones do. */
  isEarly(frame: string): boolean;
  /** Notes a frame that leaves. */
  sent(frame: string): void;
  /** A socket is about to be opened for this `auth`; an error if it cannot be sent. */
  open(auth: string): HoldfastError | undefined;
  greeted(messageBytes: number): void;
  /**
   * The connection was closed with 1009. An error means that no smaller message could be sent
   * instead.
   */
  tooBig(): HoldfastError | undefined;
}

export function createSendable(): Sendable {
  let announced = 0;
  /** Whether the next server is believed to accept what was announced. */
  let isKnown = false;
  /** Learned from 1009. */
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
      // The client stops: whoever connects it again may know of another server.
      if (error) forget();
      return error;
    },
    greeted(messageBytes) {
      // Another limit is another deployment.
      if (messageBytes !== announced) most = Infinity;
      announced = messageBytes;
      isKnown = true;
    },
    tooBig() {
      const error = tooLarge(longest, LEAST_BYTES) ? undefined : refused(longest, "less");
      if (error) forget();
      else most = Math.max(LEAST_BYTES, utf8Length(longest) >> 1);
      // What left before the greeting may have gone by the limit of another deployment.
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
  // A UTF-16 unit takes at most three bytes.
  return frame.length * 3 > most && utf8Length(frame) > most ? refused(frame, most, where, field) : undefined;
}

/** A message begins with its type: `{"type":"ack",`. */
function refused(frame: string, most: number | string, where = frame.split('"')[3], field = "data"): HoldfastError {
  const sentence = `${where}: ${utf8Length(frame)} bytes; the server accepts ${most}.`;
  return new HoldfastError("LIMIT_EXCEEDED", sentence, { field, remedy: "Send less at once." });
}

/**
 * Without TextEncoder, which is neither in the language nor on every React Native engine: here each
 * byte is one %xx.
 */
function utf8Length(json: string): number {
  return encodeURIComponent(json).replace(/%../g, "-").length;
}
