import type { Cancel, HistoryDefinition, Position, ResetReason } from "@holdfast/protocol";
import type { BrokerLink, Publication } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import type { ExpiryQueue } from "../async/expiry-queue.js";
import type { DocumentCopy } from "./document-copy.js";
import { Comparison } from "../log/comparison.js";
import { type Continuation, continuation } from "../log/continuity.js";
import { Follower, type LinkedPublication, type TopicReading } from "../log/follower.js";
import { type KeptEvent, readable, Ring, type RingLimits } from "./ring.js";

/** What a channel keeps here while nobody needs more: enough for those who were away for a moment. */
const NARROW: RingLimits = { events: 64, bytes: 64 * 1_024 };
/** What is made up for at most. Whoever has missed more is better served by loading what it needs. */
export const MOST_MISSED: RingLimits = { events: 4_096, bytes: 256 * 1_024 };
/** When a database that has failed is asked again: after so long, or up to twice that, for all channels fail at once. */
const BRING_MS = 5_000;
/** How long a channel nobody has published on is remembered by the store when nobody follows it. */
const UNPUBLISHED_MS = 600_000;

/** A client that is about to join, and what its answer is based on. */
export interface Hold {
  /** The position that the client resumes from; undefined if it has none. */
  from: Position | undefined;
  /** Which history the channel had when it was prepared for this client. */
  history: number | undefined;
}

export interface LogFeedParts {
  readonly topic: string;
  readonly history: HistoryDefinition;
  readonly link: BrokerLink;
  readonly environment: ServerEnvironment;
  /** What may be made up for at once, in bytes, where that is less than usual. */
  readonly mostBytes: number;
  /** Whether someone is about to join, and may need what is older. */
  isHeld(): boolean;
  /** Where the channel has a document: what it is here. */
  readonly copy?: DocumentCopy | undefined;
  /** Those that keep more than usual, until nobody has needed it for a while. */
  readonly wide: ExpiryQueue<LogFeed>;
  /** The event that was published; undefined for what is none. */
  read(publication: Publication): KeptEvent | undefined;
  deliver(event: KeptEvent): void;
  /** What came next is not known and will not be: the members are to start anew from there. */
  lost(reason: ResetReason, position: Position): void;
  /** Brings the document that the store has no more from the application's database; it comes as a change. */
  bring(): Promise<void> | undefined;
}

/** What somebody who comes back is told: what was missed, or why not; and, where there is a document, whether all of it. */
export type Resumption = Continuation<KeptEvent> & { readonly snapshot: boolean };

/** How the events of a channel with history come here, and how those who were away get what they missed. */
export class LogFeed {
  readonly follower: Follower;
  readonly #parts: LogFeedParts;
  #ring: Ring | undefined;
  /** The lowest offset somebody wants to continue from that the ring does not cover. */
  #wanted = Number.POSITIVE_INFINITY;
  /** How many readings have begun, and which one is over: since where it has read. */
  #readings = 0;
  #last = { number: 0, after: Number.POSITIVE_INFINITY };
  /** Whoever stands below this has missed too much, however often it is read: a log does not grow at its beginning. */
  #outOfReach = 0;
  /** Whoever stands below this has missed something that is in the store and is no event. */
  #unreadable = 0;
  /** How often the history was replaced: no verdict about one is a verdict about another. */
  #history = 0;
  readonly #comparison: Comparison;
  #cancelBring: Cancel | undefined;

  constructor(parts: LogFeedParts) {
    this.#parts = parts;
    const { topic, link, environment } = parts;
    this.follower = new Follower({
      topic,
      link,
      environment,
      load: (from) => this.#load(from),
      deliver: (publication) => this.#deliver(publication),
      knows: (known) => this.#ring!.has(known),
    });
    this.#comparison = new Comparison(topic, link, this.follower);
  }

  /** What there is to wait for before `position` and `resume` can answer the client; undefined: nothing. */
  prepare(hold: Hold): Promise<void> | undefined {
    const prepared = (): void => void (hold.history = this.#history);
    const preparing = this.#prepare(hold.from);
    if (!preparing) prepared();
    return preparing?.then(prepared);
  }

  #prepare(from: Position | undefined): Promise<void> | undefined {
    const asked = this.#readings;
    const reach = (): Promise<void> | undefined => from && this.#reach(from, asked);
    const ready = (): Promise<void> | undefined =>
      this.#parts.copy?.isLost ? this.follower.refresh().then(reach) : reach();
    if (this.follower.isOpen) return ready();
    // In time for the first reading, mostly.
    if (from) this.#wanted = Math.min(this.#wanted, from.offset);
    return this.follower.opened.then(ready);
  }

  /**
   * Whether the reset that `resume` would tell the client now is as true as when the channel was prepared for it. It is not if a
   * roll-back was noticed since, or if a reading did not reach so far back.
   */
  isPrepared({ from, history }: Hold): boolean {
    if (!from || !this.#ring) return true;
    const isSame = history === this.#history;
    if (isSame && this.#knowsOf(from)) return true;
    const verdict = continuation(from, this.#ring);
    return verdict.ok || (isSame && verdict.reset !== "trimmed");
  }

  /** Where the members of this instance stand. */
  get position(): Position {
    return this.#ring!.position;
  }

  /** What was missed since, or why that cannot be said. `hasDocument`: as it was at that position. */
  resume(from: Position, hasDocument: boolean): Resumption {
    const verdict = continuation(from, this.#ring!);
    const snapshot = this.#parts.copy !== undefined;
    if (!verdict.ok) {
      const isBeyond = verdict.reset === "trimmed" && !this.#ring!.covers(from);
      if (!isBeyond) return { ...verdict, snapshot };
      return { ok: false, reset: from.offset < this.#unreadable ? "server" : "too_many", snapshot };
    }
    const told = this.#parts.copy?.afterMissing(verdict.missed, hasDocument) ?? { missed: verdict.missed, snapshot };
    const bytes = told.missed.reduce((sum, event) => sum + event.bytes, 0);
    const most = Math.min(MOST_MISSED.bytes, this.#parts.mostBytes);
    return bytes > most ? { ok: false, reset: "too_many", snapshot } : { ok: true, ...told };
  }

  receive(publication: Publication): void {
    this.follower.receive(publication);
  }

  /** What was read is some time ago. A reader that is caught up with slowly still needs it. */
  narrow(): void {
    if (this.#parts.isHeld()) this.#parts.wide.add(this);
    else this.#ring?.limit(NARROW);
  }

  close(): void {
    this.#parts.wide.delete(this);
    this.#cancelBring?.();
    this.follower.close();
  }

  /**
   * Sees to it that what `resume` says of this position is true. A reading that has begun since (`asked`) is enough; otherwise, before
   * a reset is told, the store is asked where the channel stands: this instance may not have heard yet of a roll-back.
   */
  #reach(from: Position, asked: number): Promise<void> | undefined {
    if (!this.#knowsOf(from)) return this.#widen(from);
    const verdict = continuation(from, this.#ring!);
    if (verdict.ok) {
      // Other clients that resume now have missed about as much.
      if (from.offset < this.position.offset) this.#keepMore();
      return undefined;
    }
    const { number, after } = this.#last;
    const isTrimmed = verdict.reset === "trimmed" && this.#ring!.covers(from);
    if (number > asked && (!isTrimmed || after <= from.offset)) return undefined;
    // Where the channel stands does not tell whether the store has got back events that it had trimmed.
    if (isTrimmed) return this.#widen(from);
    return this.#comparison.run().then(() => (this.#knowsOf(from) ? undefined : this.#widen(from)));
  }

  #keepMore(): void {
    this.#ring!.limit(MOST_MISSED);
    this.#parts.wide.add(this);
  }

  #knowsOf(from: Position): boolean {
    // Another epoch, or too far back: no reading of this history would change the verdict.
    return from.epoch !== this.position.epoch || from.offset < this.#outOfReach || this.#ring!.covers(from);
  }

  /** Until a reading is over that has begun after this was wanted, and reaches so far back. One under way may do neither. */
  async #widen(from: Position): Promise<void> {
    const asked = this.#readings;
    do {
      this.#wanted = Math.min(this.#wanted, from.offset);
      await this.follower.refresh();
    } while (this.#last.number <= asked || this.#last.after > from.offset);
  }

  async #load(from: Position | undefined): Promise<TopicReading> {
    const number = ++this.#readings;
    const wanted = this.#wanted;
    this.#wanted = Number.POSITIVE_INFINITY;
    // Who opens a channel and wants nothing older costs no history.
    // And what others wait for, or were just given, stays in reach of those who want less: also of those who are prepared, and wait
    // for another channel while the store is rolled back.
    const isNeeded = Number.isFinite(wanted) || this.#parts.isHeld();
    const floor = isNeeded && this.#ring ? this.#ring.floor : Number.POSITIVE_INFINITY;
    const after = Math.min(from?.offset ?? Number.POSITIVE_INFINITY, wanted, floor);
    const { topic, link, history, read, copy } = this.#parts;
    const most = Math.min(history.size, MOST_MISSED.events);
    const log = Number.isFinite(after) ? { after, most } : undefined;
    const asked = { log, document: copy !== undefined, ttlMs: UNPUBLISHED_MS };
    const reading = await link.read(topic, asked).catch((error: unknown) => {
      this.#wanted = Math.min(this.#wanted, wanted);
      throw error;
    });
    const { position, events } = reading;
    // No store keeps more than the history says.
    const isAll = events.length < most || most === history.size;
    const items = readable(events.map(read));
    const unreadable = items.length < events.length ? position.offset - items.length : 0;
    const verdict = from && continuation(from, { position, items });
    return {
      position,
      apply: () => {
        this.#last = { number, after };
        copy?.load(reading.document);
        if (verdict?.ok && after === from!.offset) for (const item of verdict.missed) this.#push(item);
        else {
          // Nothing that was known of a history holds for another one.
          if (!verdict?.ok) {
            this.#history++;
            this.#outOfReach = this.#unreadable = 0;
          }
          this.#unreadable = Math.max(this.#unreadable, unreadable);
          this.#renew(position, items, after, isAll && unreadable === 0);
        }
        if (verdict?.ok) for (const item of verdict.missed) this.#parts.deliver(item);
        else if (verdict?.reset === "trimmed" && from!.offset < unreadable) this.#lost("server", position);
        else if (verdict) this.#lost(verdict.reset === "trimmed" && !isAll ? "too_many" : verdict.reset, position);
      },
    };
  }

  #renew(position: Position, items: readonly KeptEvent[], after: number, isAll: boolean): void {
    // Nothing older is in the store when all was asked for, or when what was asked for has a hole at its beginning.
    const first = position.offset - items.length + 1;
    const isWhole = position.offset === 0 || (isAll && (after === 0 || first > after + 1));
    const limits = items.length > 0 ? MOST_MISSED : NARROW;
    this.#ring = new Ring(position, items, isWhole, limits);
    // After a roll-back what was asked for may be ahead of the channel: that says nothing about what is before it.
    if (after <= position.offset && !this.#ring.covers({ offset: after }))
      this.#outOfReach = Math.max(this.#outOfReach, this.#ring.floor);
    if (items.length > 0) this.#parts.wide.add(this);
  }

  #push(event: KeptEvent): void {
    // A client that waits for its answer needs this event and those before it, even if it had missed nothing when it asked.
    if (this.#parts.isHeld()) this.#keepMore();
    this.#ring!.push(event);
  }

  #deliver(publication: LinkedPublication): void {
    const event = this.#parts.read(publication);
    if (!event) return this.#skip(publication);
    this.#push(event);
    const { copy, deliver } = this.#parts;
    if (event.version !== undefined) copy?.take(publication.body);
    deliver(event);
    if (copy?.isLost) this.follower.refresh().catch(() => undefined);
  }

  /** Something has its place in the chain and is no event: whoever writes there is not one of us. */
  #skip({ link: { offset, id } }: LinkedPublication): void {
    const position = { epoch: this.position.epoch, offset, id };
    this.#ring = new Ring(position, [], false, NARROW);
    this.#unreadable = offset;
    this.#lost("server", position);
  }

  #lost(reason: ResetReason, position: Position): void {
    const { copy, lost } = this.#parts;
    lost(reason, position);
    if (copy?.isMissing) this.#bring();
  }

  /** Until the database has answered or the document has come from elsewhere: who watches must not have to ask. */
  #bring(): void {
    const { copy, environment, bring } = this.#parts;
    bring()?.catch(() => {
      // Of two losses in a row both have waited for the same answer.
      this.#cancelBring?.();
      if (!this.follower.isOpen) return;
      this.#cancelBring = environment.afterIdle(BRING_MS * (1 + environment.random()), () => {
        if (copy!.isMissing) this.#bring();
      });
    });
  }
}
