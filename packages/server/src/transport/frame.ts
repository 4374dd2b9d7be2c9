/** One message, encoded and framed once for any number of connections. */
export class Frame {
  #bytes: Buffer | undefined;
  #batch: Batch | undefined;

  constructor(readonly text: string) {}

  /** The message as an unmasked WebSocket text frame (RFC 6455, section 5.2), header included. */
  get bytes(): Buffer {
    return (this.#bytes ??= encodeTextFrame(this.text));
  }

  /**
   * Returns true if the frame, header included, takes more than `bytes`. UTF-8 takes at most 3
   * bytes per UTF-16 unit, so a short message is not encoded for this check.
   */
  isLargerThan(bytes: number): boolean {
    return this.text.length * 3 + 10 > bytes && this.bytes.length > bytes;
  }

  /**
   * The batch that holds only this frame. All sockets share this batch, and therefore also the
   * batches that extend it.
   */
  get batch(): Batch {
    return (this.#batch ??= new Batch(undefined, this));
  }
}

/**
 * Frames in order, as an immutable list that grows at the end. Sockets that must send the same
 * frames hold the same batch: appending the same frame to the same batch returns the same new
 * batch, unless another frame was appended to that batch in between. If a burst goes to a thousand
 * subscribers, the frames are therefore concatenated once instead of a thousand times, and each
 * socket gets one write.
 */
export class Batch {
  readonly size: number;
  readonly count: number;
  #next: Batch | undefined;
  #joined: Buffer | undefined;

  constructor(
    readonly previous: Batch | undefined,
    readonly frame: Frame,
  ) {
    this.size = (previous?.size ?? 0) + frame.bytes.length;
    this.count = (previous?.count ?? 0) + 1;
  }

  append(frame: Frame): Batch {
    if (this.#next?.frame !== frame) this.#next = new Batch(this, frame);
    return this.#next;
  }

  frames(): Frame[] {
    const frames = new Array<Frame>(this.count);
    let batch: Batch | undefined = this;
    for (let index = this.count - 1; batch; index--, batch = batch.previous) frames[index] = batch.frame;
    return frames;
  }

  /** All frames, concatenated. */
  get bytes(): Buffer {
    if (!this.previous) return this.frame.bytes;
    return (this.#joined ??= Buffer.concat(
      this.frames().map((frame) => frame.bytes),
      this.size,
    ));
  }
}

const FINAL_TEXT = 0x81;

function encodeTextFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = Buffer.allocUnsafe(header + length);
  bytes[0] = FINAL_TEXT;
  if (header === 2) {
    bytes[1] = length;
  } else if (header === 4) {
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 127;
    bytes.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
    bytes.writeUInt32BE(length >>> 0, 6);
  }
  bytes.write(text, header);
  return bytes;
}
