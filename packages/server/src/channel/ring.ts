import type { Link, Position } from "@holdfast/protocol";
import type { Frame } from "../transport/frame.js";
import type { Chain, Linked } from "../log/continuity.js";

/** An event as it is kept: encoded, for whoever missed it. */
export interface KeptEvent extends Linked {
  readonly frame: Frame;
  /** What it takes on the wire. */
  readonly bytes: number;
  /**
   * Where it is a change of the channel's document and no event: in which version it has resulted;
   * 0: it is gone.
   */
  readonly version?: number | undefined;
}

export interface RingLimits {
  readonly events: number;
  readonly bytes: number;
}

/**
 * The last events of a channel, in order and without a hole, up to where the channel stands on this
 * instance. It answers most clients that come back, so that a herd of them does not read the store
 * once each.
 */
export class Ring implements Chain<KeptEvent> {
  position: Position;
  #items: KeptEvent[] = [];
  #bytes = 0;
  #limits: RingLimits;
  #isWhole: boolean;

  /** `isWhole`: the store has nothing older than what is put in. */
  constructor(position: Position, items: readonly KeptEvent[], isWhole: boolean, limits: RingLimits) {
    this.position = position;
    this.#limits = limits;
    this.#isWhole = isWhole;
    for (const item of items) this.#keep(item);
  }

  get items(): readonly KeptEvent[] {
    return this.#items;
  }

  /** Whether it can say for certain what followed a position. */
  covers({ offset }: Pick<Position, "offset">): boolean {
    if (offset > this.position.offset) return false;
    return this.#isWhole || offset >= this.floor;
  }

  /** Whether exactly this is in it. */
  has({ offset, id }: Link): boolean {
    if (offset === this.position.offset) return id === this.position.id;
    return this.#items[offset - this.floor - 1]?.link.id === id;
  }

  /** The next event; it must link. */
  push(item: KeptEvent): void {
    const { offset, id } = item.link;
    this.position = { epoch: this.position.epoch, offset, id };
    this.#keep(item);
  }

  limit(limits: RingLimits): void {
    this.#limits = limits;
    this.#trim();
  }

  /** The offset before its first event: whoever stands there is covered. */
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

/** The events behind the last entry that could not be read. */
export function readable(events: readonly (KeptEvent | undefined)[]): KeptEvent[] {
  const kept: KeptEvent[] = [];
  for (const event of events) {
    if (event) kept.push(event);
    else kept.length = 0;
  }
  return kept;
}
