import type { ChannelId, HistoryDefinition, Link, Position, ResetReason } from "@holdfast/protocol";
import type { ExpiryQueue } from "../async/expiry-queue.js";
import type { BrokerLink, Publication } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import { type Continuation, continuation } from "../log/continuity.js";
import type { LinkedPublication, TopicLog, TopicReading } from "../log/follower.js";
import type { Logger } from "../observe/logger.js";
import type { Stats } from "../observe/stats.js";
import type { DocumentCopy } from "./document-copy.js";
import { DocumentReload } from "./document-reload.js";
import { endedFrame, notAnEvent, readEvent, resetFrame } from "./event-text.js";
import type { Members } from "./members.js";
import { type KeptEvent, readable, Ring, type RingLimits } from "./ring.js";

/**
 * What a channel keeps here while nobody needs more: enough for those who were away for a moment.
 */
const SMALL_BUFFER: RingLimits = { events: 64, bytes: 64 * 1_024 };
/**
 * What is made up for at most. Whoever has missed more is better served by loading what it needs.
 */
export const MAX_REPLAY: RingLimits = { events: 4_096, bytes: 256 * 1_024 };
/** How long a channel nobody has published on is remembered by the store when nobody follows it. */
const UNPUBLISHED_MS = 600_000;

export interface ChannelLogParts {
  readonly id: ChannelId;
  readonly history: HistoryDefinition;
  readonly link: BrokerLink;
  readonly environment: ServerEnvironment;
  readonly logger: Logger;
  readonly stats: Stats;
  readonly members: Members;
  /** The channel's document on this instance, if the channel declares one. */
  readonly copy: DocumentCopy | undefined;
  /** The most that a connection may be owed, in bytes. */
  readonly maxEventBytes: number;
  /** The logs that keep more than usual, until nobody has needed it for a while. */
  readonly wide: ExpiryQueue<ChannelLog>;
  /**
   * Stores the channel's document from the application's database at the broker; it arrives here as
   * a change.
   */
  loadDocument(id: ChannelId): Promise<void> | undefined;
}

/**
 * What somebody who comes back is told: what was missed, or why not; and, where there is a
 * document, whether all of it.
 */
export type Resumption = Continuation<KeptEvent> & { readonly snapshot: boolean };

/**
 * The log of a channel with history, as far as this instance has it. Its Follower gives it what was
 * published or read, in order. It keeps the newest events for clients that resume, and hands each
 * one to the members. It does not know its Follower.
 */
export class ChannelLog implements TopicLog {
  readonly #parts: ChannelLogParts;
  readonly #reload: DocumentReload;
  #ring: Ring | undefined;
  /** The lowest offset somebody wants to continue from that the ring does not cover. */
  #wanted = Number.POSITIVE_INFINITY;
  /** How many readings have begun, and which one is over: since where it has read. */
  #readings = 0;
  #last = { number: 0, after: Number.POSITIVE_INFINITY };
  /**
   * Whoever stands below this has missed too much, however often it is read: a log does not grow at
   * its beginning.
   */
  #outOfReach = 0;
  /** Whoever stands below this has missed something that is in the store and is no event. */
  #unreadable = 0;
  /** How often the history was replaced: no verdict about one is a verdict about another. */
  #history = 0;

  constructor(parts: ChannelLogParts) {
    this.#parts = parts;
    this.#reload = new DocumentReload(parts);
  }

  /** Where the members of this instance stand. */
  get position(): Position {
    return this.#ring!.position;
  }

  /** False until the first reading of the store. */
  get isRead(): boolean {
    return this.#ring !== undefined;
  }

  /** How many readings of the store have begun. */
  get readings(): number {
    return this.#readings;
  }

  /** How often a reading has replaced the history by another one. */
  get history(): number {
    return this.#history;
  }

  /** Whether the document here could not be applied, so that the topic has to be read again. */
  get isDocumentLost(): boolean {
    return this.#parts.copy?.isLost === true;
  }

  /**
   * What was missed since, or why that cannot be said. `hasDocument`: as it was at that position.
   */
  resume(from: Position, hasDocument: boolean): Resumption {
    const { copy, maxEventBytes } = this.#parts;
    const verdict = this.verdict(from);
    const snapshot = copy !== undefined;
    if (!verdict.ok) {
      const isBeyond = verdict.reset === "trimmed" && !this.covers(from);
      if (!isBeyond) return { ...verdict, snapshot };
      return { ok: false, reset: from.offset < this.#unreadable ? "server" : "too_many", snapshot };
    }
    const told = copy?.afterMissing(verdict.missed, hasDocument) ?? { missed: verdict.missed, snapshot };
    const bytes = told.missed.reduce((sum, event) => sum + event.bytes, 0);
    // Four channels that are caught up with at once must not make a reader too slow.
    const most = Math.min(MAX_REPLAY.bytes, maxEventBytes / 4);
    return bytes > most ? { ok: false, reset: "too_many", snapshot } : { ok: true, ...told };
  }

  /**
   * The events behind this position that are in the buffer, or why the buffer does not continue it.
   */
  verdict(from: Position): Continuation<KeptEvent> {
    return continuation(from, this.#ring!);
  }

  /** Whether the buffer can say for certain what followed this position. */
  covers(from: Position): boolean {
    return this.#ring!.covers(from);
  }

  /** Keeps the events of a whole resume, until nobody has needed them for a while. */
  keepMore(): void {
    this.#ring!.limit(MAX_REPLAY);
    this.#parts.wide.add(this);
  }

  knowsOf(from: Position): boolean {
    // Another epoch, or too far back: no reading of this history would change the verdict.
    return from.epoch !== this.position.epoch || from.offset < this.#outOfReach || this.covers(from);
  }

  /** The next reading is to reach back to this position. */
  want(from: Position): void {
    this.#wanted = Math.min(this.#wanted, from.offset);
  }

  /**
   * Whether a reading is over that began after so many others. If `from` is given, it has to reach
   * back to there.
   */
  hasReadSince(readings: number, from?: Position): boolean {
    return this.#last.number > readings && (from === undefined || this.#last.after <= from.offset);
  }

  /** What was read is some time ago. A reader that is caught up with slowly still needs it. */
  narrow(): void {
    if (this.#parts.members.holds > 0) this.#parts.wide.add(this);
    else this.#ring?.limit(SMALL_BUFFER);
  }

  close(): void {
    this.#parts.wide.delete(this);
    this.#reload.close();
  }

  knows(link: Link): boolean {
    return this.#ring!.has(link);
  }

  async load(from: Position | undefined): Promise<TopicReading> {
    const number = ++this.#readings;
    const wanted = this.#wanted;
    this.#wanted = Number.POSITIVE_INFINITY;
    const { id, link, history, members, copy } = this.#parts;
    // Who opens a channel and wants nothing older costs no history. And what others wait for, or
    // were just given, stays in reach of those who want less: also of those who are prepared, and
    // wait for another channel while the store is rolled back.
    const isNeeded = Number.isFinite(wanted) || members.holds > 0;
    const floor = isNeeded && this.#ring ? this.#ring.floor : Number.POSITIVE_INFINITY;
    const after = Math.min(from?.offset ?? Number.POSITIVE_INFINITY, wanted, floor);
    const most = Math.min(history.size, MAX_REPLAY.events);
    const log = Number.isFinite(after) ? { after, most } : undefined;
    const asked = { log, document: copy !== undefined, ttlMs: UNPUBLISHED_MS };
    const reading = await link.read(id.wire, asked).catch((error: unknown) => {
      this.#wanted = Math.min(this.#wanted, wanted);
      throw error;
    });
    const { position, events } = reading;
    // No store keeps more than the history says.
    const isAll = events.length < most || most === history.size;
    const items = readable(events.map((event) => this.#read(event)));
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
        if (verdict?.ok) for (const item of verdict.missed) this.#hand(item);
        else if (verdict?.reset === "trimmed" && from!.offset < unreadable) this.#lost("server", position);
        else if (verdict) this.#lost(verdict.reset === "trimmed" && !isAll ? "too_many" : verdict.reset, position);
      },
    };
  }

  deliver(publication: LinkedPublication): boolean {
    const event = this.#read(publication);
    if (!event) {
      this.#skip(publication);
      return true;
    }
    this.#push(event);
    if (event.version !== undefined) this.#parts.copy?.take(publication.body);
    this.#hand(event);
    return !this.isDocumentLost;
  }

  /** The event that was published; undefined for a publication that is none. */
  #read(publication: Publication): KeptEvent | undefined {
    const { id, logger } = this.#parts;
    const event = readEvent(id.wire, publication);
    if (!event) notAnEvent(id.wire, logger);
    return event;
  }

  #push(event: KeptEvent): void {
    // A client that waits for its answer needs this event and those before it, even if it had
    // missed nothing when it asked.
    if (this.#parts.members.holds > 0) this.keepMore();
    this.#ring!.push(event);
  }

  #hand({ frame, version }: KeptEvent): void {
    const { id, stats, members } = this.#parts;
    stats.delivered += members.deliver(frame);
    if (version === 0) members.dismiss(id.wire);
  }

  #renew(position: Position, items: readonly KeptEvent[], after: number, isAll: boolean): void {
    // Nothing older is in the store when all was asked for, or when what was asked for has a hole
    // at its beginning.
    const first = position.offset - items.length + 1;
    const isWhole = position.offset === 0 || (isAll && (after === 0 || first > after + 1));
    const limits = items.length > 0 ? MAX_REPLAY : SMALL_BUFFER;
    this.#ring = new Ring(position, items, isWhole, limits);
    // After a roll-back what was asked for may be ahead of the channel: that says nothing about
    // what is before it.
    if (after <= position.offset && !this.#ring.covers({ offset: after }))
      this.#outOfReach = Math.max(this.#outOfReach, this.#ring.floor);
    if (items.length > 0) this.#parts.wide.add(this);
  }

  /**
   * Something has its place in the chain and is no event: whoever writes there is not one of us.
   */
  #skip({ link: { offset, id } }: LinkedPublication): void {
    const position = { epoch: this.position.epoch, offset, id };
    this.#ring = new Ring(position, [], false, SMALL_BUFFER);
    this.#unreadable = offset;
    this.#lost("server", position);
  }

  /** What came next is not known and will not be: the members start anew from this position. */
  #lost(reason: ResetReason, position: Position): void {
    const { id, members, copy } = this.#parts;
    members.deliver(resetFrame(id.wire, reason, position));
    if (!copy) return;
    const ended = copy.deletedFor;
    members.deliver(ended === undefined ? copy.frame(position) : endedFrame(id.wire, ended));
    if (ended !== undefined) members.dismiss(id.wire);
    if (copy.isMissing) this.#reload.run(copy);
  }
}
