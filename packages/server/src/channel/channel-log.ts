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

/** Events buffered while no client needs more: enough to resume after a short interruption. */
const SMALL_BUFFER: RingLimits = { events: 64, bytes: 64 * 1_024 };
/** The most that a resume replays. A client that missed more is told to reload (`too_many`). */
export const MAX_REPLAY: RingLimits = { events: 4_096, bytes: 256 * 1_024 };
/** How long after its last use the store remembers a channel on which nothing was published. */
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
  /** The most bytes that may wait for a connection. */
  readonly maxEventBytes: number;
  /**
   * The logs with an enlarged buffer. A log expires when no client has needed the buffer for a
   * while.
   */
  readonly wide: ExpiryQueue<ChannelLog>;
  /**
   * Loads the document from the application's database. The document then arrives on this instance
   * as a change. Returns undefined if there is no `load` hook.
   */
  loadDocument(id: ChannelId): Promise<void> | undefined;
}

/**
 * The answer to a client that resumes: the missed events, or the reason for a reset. `snapshot`
 * tells whether a snapshot of the document follows.
 */
export type Resumption = Continuation<KeptEvent> & { readonly snapshot: boolean };

/**
 * The log of a channel with history on this instance. A `Follower` reads the topic and passes
 * publications in order. The log buffers the latest events for clients that resume, and delivers
 * each event to the members. The log never calls the `Follower`.
 */
export class ChannelLog implements TopicLog {
  readonly #parts: ChannelLogParts;
  readonly #reload: DocumentReload;
  #ring: Ring | undefined;
  /** The lowest offset below the buffer that a client wants to continue from. */
  #wanted = Number.POSITIVE_INFINITY;
  /**
   * The number of readings that have begun, and the latest finished reading: its number, and the
   * offset after which events were read.
   */
  #readings = 0;
  #last = { number: 0, after: Number.POSITIVE_INFINITY };
  /**
   * A client below this offset has missed more than a reading returns. Reading again would not
   * help, because the store does not get older events back.
   */
  #outOfReach = 0;
  /** A client below this offset has missed a publication that cannot be read. */
  #unreadable = 0;
  /** How often a reading has replaced the history. Verdicts about an earlier history are void. */
  #history = 0;

  constructor(parts: ChannelLogParts) {
    this.#parts = parts;
    this.#reload = new DocumentReload(parts);
  }

  /** The position up to which the members on this instance have received events. */
  get position(): Position {
    return this.#ring!.position;
  }

  get isRead(): boolean {
    return this.#ring !== undefined;
  }

  get readings(): number {
    return this.#readings;
  }

  get history(): number {
    return this.#history;
  }

  /** True if the document on this instance is lost, so that the topic must be read again. */
  get isDocumentLost(): boolean {
    return this.#parts.copy?.isLost === true;
  }

  /**
   * The events that a client at this position has missed, or the reason for a reset. `hasDocument`
   * is true if the client still has the document at that position.
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
    // Four channels that replay at the same time must not exceed the limit of the connection.
    const most = Math.min(MAX_REPLAY.bytes, maxEventBytes / 4);
    return bytes > most ? { ok: false, reset: "too_many", snapshot } : { ok: true, ...told };
  }

  /** The buffered events after this position, or the reason for a reset. */
  verdict(from: Position): Continuation<KeptEvent> {
    return continuation(from, this.#ring!);
  }

  /** Whether the buffer contains every event after this position. */
  covers(from: Position): boolean {
    return this.#ring!.covers(from);
  }

  /**
   * Enlarges the buffer to hold the longest replay, until no client has needed the buffer for a
   * while.
   */
  keepMore(): void {
    this.#ring!.limit(MAX_REPLAY);
    this.#parts.wide.add(this);
  }

  /** Whether another reading of this history could not change the verdict about a position. */
  knowsOf(from: Position): boolean {
    // The position is of another epoch, too far back, or covered by the buffer.
    return from.epoch !== this.position.epoch || from.offset < this.#outOfReach || this.covers(from);
  }

  /** Makes the next reading reach back to this position. */
  want(from: Position): void {
    this.#wanted = Math.min(this.#wanted, from.offset);
  }

  /**
   * Whether a reading has finished that began after number `readings` and, if `from` is given,
   * reached back to that position.
   */
  hasReadSince(readings: number, from?: Position): boolean {
    return this.#last.number > readings && (from === undefined || this.#last.after <= from.offset);
  }

  /** Shrinks a buffer that was not used for a while, unless clients are about to join. */
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
    // Opening a channel for a client that starts anew reads no history. If clients are about to
    // join, the reading also covers the current buffer, because those clients may have been
    // prepared with that buffer and still wait for another channel while the store is rolled back.
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
    // The store keeps at most `history.size` events.
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
          // Facts about the old history do not hold for the new history.
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

  /** Reads the event from a publication. Undefined if the publication is not a valid event. */
  #read(publication: Publication): KeptEvent | undefined {
    const { id, logger } = this.#parts;
    const event = readEvent(id.wire, publication);
    if (!event) notAnEvent(id.wire, logger);
    return event;
  }

  #push(event: KeptEvent): void {
    // A client that is about to join needs this event and the earlier ones, even if the client had
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
    // The store has no older events if all events were requested, or if the first requested event
    // is missing.
    const first = position.offset - items.length + 1;
    const isWhole = position.offset === 0 || (isAll && (after === 0 || first > after + 1));
    const limits = items.length > 0 ? MAX_REPLAY : SMALL_BUFFER;
    this.#ring = new Ring(position, items, isWhole, limits);
    // After a roll-back, the requested offset may be ahead of the channel. That proves nothing
    // about older events.
    if (after <= position.offset && !this.#ring.covers({ offset: after }))
      this.#outOfReach = Math.max(this.#outOfReach, this.#ring.floor);
    if (items.length > 0) this.#parts.wide.add(this);
  }

  /**
   * Skips a publication that has a link in the chain but is not a valid event, for example because
   * another program wrote the publication. The members cannot receive such a publication, so they
   * are told that events are missing.
   */
  #skip({ link: { offset, id } }: LinkedPublication): void {
    const position = { epoch: this.position.epoch, offset, id };
    this.#ring = new Ring(position, [], false, SMALL_BUFFER);
    this.#unreadable = offset;
    this.#lost("server", position);
  }

  /**
   * Tells the members that events are missing, and that the channel continues at this position. If
   * the channel declares a document, a snapshot follows. If the document was deleted, the channel
   * ends for the members instead.
   */
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
