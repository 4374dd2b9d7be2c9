import { type ChannelId, HoldfastError, type Position, type SubscribeResult } from "@holdfast/protocol";
import { toWire } from "@holdfast/protocol/internal";
import type { Channels, Held } from "../channel/channels.js";
import type { Membership } from "../channel/membership.js";
import { inTime } from "../environment.js";
import type { Stats } from "../observe/stats.js";
import type { ServerSettings } from "../settings.js";
import type { Connection } from "../session/connection.js";
import { Frame } from "../transport/frame.js";
import type { PresenceUpdates } from "./presence-updates.js";
import type { replyTo } from "../transport/reply-to.js";

type Reply = ReturnType<typeof replyTo>;

export type JoinVerdict = { ok: true; id: ChannelId } | { ok: false; channel: string; error: HoldfastError };

/**
 * One channel that is asked for, what was decided about it, and from where it is to be continued.
 */
export interface Wish {
  readonly verdict: JoinVerdict;
  readonly position: Position | undefined;
  /** What the client says of its copy of the channel's document. */
  readonly state?: "held" | "mismatch" | undefined;
}

/** A wish whose channel is kept until it is answered. */
interface HeldWish {
  verdict: JoinVerdict;
  readonly position: Position | undefined;
  readonly state?: Wish["state"];
  readonly held: Held | undefined;
}

/** What is asked in one message, or what is left of it. */
export interface Ask {
  readonly connection: Connection;
  readonly membership: Membership;
  readonly wishes: readonly Wish[];
  readonly reply: Reply;
  /** Whether what was granted is granted still. */
  isCurrent(): boolean;
}

interface Joined {
  readonly ok: true;
  readonly id: ChannelId;
  readonly text: string;
  readonly bytes: number;
  /** Whether the channel's document is to be sent behind the answer. */
  readonly snapshot: boolean;
}

interface RefusedAnswer {
  readonly ok: false;
  readonly text: string;
  readonly bytes: number;
}

export interface JoinsParts {
  readonly channels: Channels;
  readonly presenceUpdates: PresenceUpdates;
  readonly settings: ServerSettings;
  readonly stats: Stats;
}

/** The broker answers within a second, or refuses. */
const PREPARE_MS = 2_000;
/** How often a reader that is being caught up is looked at. */
const PACE_MS = 20;

/**
 * Joins the channels that were granted and answers. What has to be read first is read before; then
 * each channel is joined and answered in one go, so that nothing can be published in between: what
 * came before is in the answer, what comes after is delivered behind it.
 *
 * An answer that would be large comes in parts, at the pace at which it is read. The channels of a
 * part are joined when it is written, so a client that has missed a lot in many channels is not
 * closed for being owed it all at once.
 */
export class Joins {
  readonly #parts: JoinsParts;

  constructor(parts: JoinsParts) {
    this.#parts = parts;
  }

  /**
   * How many were answered: all, unless what was granted is not certain any more (`isCurrent`) or
   * the connection has closed. Never rejects for what a broker does.
   */
  join(ask: Ask): Promise<number> | number {
    const kept = this.#keep(ask);
    const finish = (): number => {
      for (const { held } of kept) held?.release();
      return ask.wishes.length - kept.length;
    };
    let waits = true;
    try {
      const preparing = kept.map((wish) => this.#prepare(wish));
      waits =
        preparing.some((prepared) => prepared !== undefined) || ask.connection.isBehind || this.#answer(ask, kept);
      if (waits)
        return Promise.all(preparing)
          .then(() => this.#answerAll(ask, kept))
          .then(finish, (error: unknown) => {
            finish();
            throw error;
          });
    } catch (error) {
      finish();
      throw error;
    }
    return finish();
  }

  /**
   * What is beyond the limit costs the broker nothing; and what is named twice is made up for once.
   */
  #keep({ wishes, membership }: Ask): HeldWish[] {
    const { channels, settings } = this.#parts;
    const named = new Set<string>();
    let room = settings.limits.subscriptions - membership.size;
    return wishes.map(({ verdict, position, state }): HeldWish => {
      if (!verdict.ok) return { verdict, position, held: undefined };
      const { wire } = verdict.id;
      const isNamedAgain = named.has(wire);
      if (!isNamedAgain && !membership.has(wire) && --room < 0)
        return { verdict: this.#full(wire), position, held: undefined };
      named.add(wire);
      return { verdict, position: isNamedAgain ? undefined : position, state, held: channels.hold(verdict.id) };
    });
  }

  #full(wire: string): JoinVerdict {
    const text = `A connection may join ${this.#parts.settings.limits.subscriptions} channels.`;
    return { ok: false, channel: wire, error: new HoldfastError("LIMIT_EXCEEDED", text) };
  }

  /** What cannot be prepared is refused; the other channels are joined. */
  #prepare(wish: HeldWish): Promise<void> | undefined {
    const preparing = wish.held?.prepare(wish.position);
    if (!preparing) return undefined;
    const { environment, logger } = this.#parts.settings;
    const { verdict } = wish;
    return inTime(preparing, environment, PREPARE_MS, "The broker did not answer in time").catch((error: unknown) => {
      if (!verdict.ok) return;
      const { wire, contract } = verdict.id;
      logger.warn({ channel: contract.name, err: error }, "a channel could not be joined");
      const text = `${wire} cannot be joined at the moment.`;
      wish.verdict = { ok: false, channel: wire, error: new HoldfastError("UNAVAILABLE", text, { field: "channels" }) };
    });
  }

  async #answerAll(ask: Ask, kept: HeldWish[]): Promise<void> {
    do await this.#ready(ask, kept);
    while (this.#answer(ask, kept));
  }

  /**
   * Until the reader can take the next part, and every channel is prepared as the store has it now.
   */
  async #ready({ connection }: Ask, kept: HeldWish[]): Promise<void> {
    const { environment } = this.#parts.settings;
    for (;;) {
      while (connection.isOpen && connection.isBehind)
        await new Promise<void>((resolve) => void environment.after(PACE_MS, resolve));
      // Of a channel that was rolled back while the others were read, only another look at the
      // store tells the truth.
      const changed = kept.filter(({ verdict, held }) => verdict.ok && held?.isPrepared() === false);
      if (changed.length === 0 || !connection.isOpen) return;
      await Promise.all(changed.map((wish) => this.#prepare(wish)));
    }
  }

  /**
   * Joins and answers as many as one part may hold, and takes them off the list. Returns whether to
   * go on.
   */
  #answer({ connection, membership, reply, isCurrent }: Ask, kept: HeldWish[]): boolean {
    if (!connection.isOpen || !isCurrent()) return false;
    const results: string[] = [];
    const subscribed: string[] = [];
    const joined = new Map<string, ChannelId>();
    const snapshots = new Set<string>();
    const partBytes = this.#parts.settings.limits.owedBytes / 8;
    let bytes = 0;
    let count = 0;
    for (; count < kept.length && bytes < partBytes; count++) {
      const result = this.#joinOne(connection, membership, kept[count]!);
      if (result.ok) {
        subscribed.push(result.id.wire);
        joined.set(result.id.wire, result.id);
        if (result.snapshot) snapshots.add(result.id.wire);
      }
      results.push(result.text);
      bytes += result.bytes;
    }
    for (const { held } of kept.splice(0, count)) held?.release();
    const success = subscribed.length === results.length;
    const head = JSON.stringify({ type: "subscribe_response", ...reply, data: { success, subscribed } });
    connection.reply(new Frame(`${head.slice(0, -2)},"results":[${results.join(",")}]}}`));
    const { channels } = this.#parts;
    for (const id of joined.values()) {
      if (!membership.has(id.wire)) continue;
      if (snapshots.has(id.wire)) connection.deliver(channels.copy(id)!.frame(channels.position(id)!));
      channels.presences.welcome(id, connection);
    }
    return kept.length > 0;
  }

  /** The result as text: what was missed is encoded already. */
  #joinOne(
    connection: Connection,
    membership: Membership,
    { verdict, position, state }: HeldWish,
  ): Joined | RefusedAnswer {
    const { channels, presenceUpdates, stats, settings } = this.#parts;
    const judged = verdict.ok ? this.#asItIs(membership, verdict.id) : verdict;
    if (!judged.ok) {
      stats.subscriptionsFailed++;
      stats.error(judged.error.code);
      const result: SubscribeResult = { ok: false, channel: judged.channel, error: toWire(judged.error) };
      const text = JSON.stringify(result);
      return { ok: false, text, bytes: text.length };
    }
    const { id } = judged;
    const copy = channels.copy(id);
    if (copy && state === "mismatch") {
      stats.stateMismatches++;
      // A claim of a peer: counted, and too cheap to make for a line that somebody is woken by.
      settings.logger.debug({ channel: id.contract.name }, "a client's copy of a document was not what it should be");
    }
    const continued = position && channels.resume(id, position, state === "held");
    if (membership.join(id)) presenceUpdates.joined(connection, id);
    const result: SubscribeResult = {
      ok: true,
      channel: id.wire,
      ...(id.contract.history && { position: channels.position(id) }),
      ...(continued?.ok === false && { reset: continued.reset }),
    };
    const text = JSON.stringify(result);
    const snapshot = copy !== undefined && (continued?.snapshot ?? true);
    const bytes = text.length + (snapshot ? copy.length : 0);
    if (!continued?.ok) return { ok: true, id, text, bytes, snapshot };
    const missed = continued.missed.map(({ frame }) => frame.text).join(",");
    const bytesMissed = continued.missed.reduce((sum, event) => sum + event.bytes, bytes);
    return { ok: true, id, text: `${text.slice(0, -1)},"missed":[${missed}]}`, bytes: bytesMissed, snapshot };
  }

  /** A channel whose document was deleted has ended. */
  #asItIs(membership: Membership, id: ChannelId): JoinVerdict {
    const reason = this.#parts.channels.copy(id)?.deletedFor;
    if (reason === undefined) return this.#withinLimits(membership, id);
    return { ok: false, channel: id.wire, error: new HoldfastError("STATE_DELETED", reason) };
  }

  #withinLimits(membership: Membership, id: ChannelId): JoinVerdict {
    const { limits } = this.#parts.settings;
    const refuse = (text: string): JoinVerdict => ({
      ok: false,
      channel: id.wire,
      error: new HoldfastError("LIMIT_EXCEEDED", text),
    });
    if (membership.has(id.wire)) return { ok: true, id };
    if (membership.size >= limits.subscriptions) return this.#full(id.wire);
    if (this.#parts.channels.local.size(id) >= limits.subscribersPerChannel)
      return refuse(`${id.wire} has all the members it may have.`);
    return { ok: true, id };
  }
}
