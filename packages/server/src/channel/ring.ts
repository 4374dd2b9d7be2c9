import type { Link, Position } from "@holdfast/protocol";
import type { Frame } from "../transport/frame.js";
import type { Chain, Linked } from "../log/continuity.js";

/** A buffered event, already encoded for the clients that missed it. */
export interface KeptEvent extends Linked {
  readonly frame: Frame;
  /** Size of the frame in bytes. */
  readonly bytes: number;
  /**
   * Set if this is a change of the channel's document instead of an event: the version after the
   * change, or 0 if the change deleted the document.
   */
  readonly version?: number | undefined;
}

export interface RingLimits {
  readonly events: number;
  readonly bytes: number;
}

/**
 * Buffers the latest events of a channel, in order and without a gap, up to the channel's position
 * on this instance. Most clients that resume are answered from this buffer, so that a thousand
 * clients that reconnect at once do not each read the store.
 */
export class Ring implements Chain<KeptEvent> {
  position: Position;
  #items: KeptEvent[] = [];
  #bytes = 0;
  #limits: RingLimits;
  #isWhole: boolean;

  /** `isWhole` is true if the store has no events older than `items`. */
  constructor(position: Position, items: readonly KeptEvent[], isWhole: boolean, limits: RingLimits) {
    this.position = position;
    this.#limits = limits;
    this.#isWhole = isWhole;
    for (const item of items) this.#keep(item);
  }

  get items(): readonly KeptEvent[] {
    return this.#items;
  }

  /** Whether the buffer contains every event after a position. */
  covers({ offset }: Pick<Position, "offset">): boolean {
    if (offset > this.position.offset) return false;
    return this.#isWhole || offset >= this.floor;
  }

  /** Whether the event with this offset and id is in the buffer or at the channel's position. */
  has({ offset, id }: Link): boolean {
    if (offset === this.position.offset) return id === this.position.id;
    return this.#items[offset - this.floor - 1]?.link.id === id;
  }

  /** Adds the next event, which must link to the latest one. */
  push(item: KeptEvent): void {
    const { offset, id } = item.link;
    this.position = { epoch: this.position.epoch, offset, id };
    this.#keep(item);
  }

  limit(limits: RingLimits): void {
    this.#limits = limits;
    this.#trim();
  }

  /**
   * The offset before the first buffered event, and so the lowest offset that a client can continue
   * from.
   */
  get floor(): number {
    return this.position.offset - this.#items.length;
  }

  #keep(item: KeptEvent): void {
    this.#items.push(item);
    this.#bytes += item.bytes;
    this.#trim();
  }

  #trim(): void {
    while (this.#items.length > this.#limits.events || this.#bytes > this.#limits.bytes) {
      this.#bytes -= this.#items.shift()!.bytes;
      this.#isWhole = false;
    }
  }
}

/**
 * The events after the last unreadable entry. A client must not receive events from both sides of
 * the gap.
 */
export function readable(events: readonly (KeptEvent | undefined)[]): KeptEvent[] {
  const kept: KeptEvent[] = [];
  for (const event of events) {
    if (event) kept.push(event);
    else kept.length = 0;
  }
  return kept;
}
