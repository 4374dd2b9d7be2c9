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

/** One channel that a client asks for, the decision, and the position to resume from. */
export interface Wish {
  readonly verdict: JoinVerdict;
  readonly position: Position | undefined;
  /** The client's report about its copy of the channel's document. */
  readonly state?: "held" | "mismatch" | undefined;
}

/** A wish that keeps its channel open until it is answered. */
interface HeldWish {
  verdict: JoinVerdict;
  readonly position: Position | undefined;
  readonly state?: Wish["state"];
  readonly held: Held | undefined;
}

/** The channels that one message asks for and that are not answered yet. */
export interface Ask {
  readonly connection: Connection;
  readonly membership: Membership;
  readonly wishes: readonly Wish[];
  readonly reply: Reply;
  /** False if permissions have changed since the decision. */
  isCurrent(): boolean;
}

interface Joined {
  readonly ok: true;
  readonly id: ChannelId;
  readonly text: string;
  readonly bytes: number;
  /** True if the channel's document must be sent after the answer. */
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

/** How long a join waits for a channel's data. The broker answers or fails within one second. */
const PREPARE_MS = 2_000;
/** How often a client that reads slowly is checked. */
const PACE_MS = 20;

/**
 * Joins the channels that were granted and answers the `subscribe`. All data that must be read from
 * the broker is read first. Each channel is then joined and answered synchronously, so no event can
 * be published in between: earlier events are in the answer, later events are delivered afterwards.
 * `SubscriptionRequests` decides which channels are granted.
 *
 * A large answer is sent in parts, at the pace at which the client reads. The channels of a part
 * are joined when the part is written. A client that missed much on many channels is therefore not
 * closed as too slow.
 */
export class Joins {
  readonly #parts: JoinsParts;

  constructor(parts: JoinsParts) {
    this.#parts = parts;
  }

  /**
   * Returns the number of wishes that were answered. All wishes are answered, unless `isCurrent`
   * became false or the connection has closed. Does not reject if the broker fails.
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
   * Keeps the channels open that fit into the connection's limit. A channel beyond the limit is
   * refused without a read, and a channel that is named twice is resumed once.
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
    const text = `A connection may join at most ${this.#parts.settings.limits.subscriptions} channels.`;
    return { ok: false, channel: wire, error: new HoldfastError("LIMIT_EXCEEDED", text) };
  }

  /**
   * Reads the data of a channel. If that fails, the channel is refused and the others are joined.
   */
  #prepare(wish: HeldWish): Promise<void> | undefined {
    const preparing = wish.held?.prepare(wish.position);
    if (!preparing) return undefined;
    const { environment, logger } = this.#parts.settings;
    const { verdict } = wish;
    return inTime(preparing, environment, PREPARE_MS, "The broker did not answer in time").catch((error: unknown) => {
      if (!verdict.ok) return;
      const { wire, contract } = verdict.id;
      logger.warn({ channel: contract.name, err: error }, "channel join failed");
      const text = `${wire} cannot be joined at present, because its data could not be read.`;
      wish.verdict = { ok: false, channel: wire, error: new HoldfastError("UNAVAILABLE", text, { field: "channels" }) };
    });
  }

  async #answerAll(ask: Ask, kept: HeldWish[]): Promise<void> {
    do await this.#ready(ask, kept);
    while (this.#answer(ask, kept));
  }

  /**
   * Waits until the client can receive the next part and every channel is prepared from the current
   * state of the store.
   */
  async #ready({ connection }: Ask, kept: HeldWish[]): Promise<void> {
    const { environment } = this.#parts.settings;
    for (;;) {
      while (connection.isOpen && connection.isBehind)
        await new Promise<void>((resolve) => void environment.after(PACE_MS, resolve));
      // If a channel was rolled back while the others were being read, it must be read again.
      const changed = kept.filter(({ verdict, held }) => verdict.ok && held?.isPrepared() === false);
      if (changed.length === 0 || !connection.isOpen) return;
      await Promise.all(changed.map((wish) => this.#prepare(wish)));
    }
  }

  /**
   * Joins and answers as many channels as fit into one part, and removes them from the list.
   * Returns true if channels remain.
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

  /**
   * Joins one channel. The result is a JSON string, because the missed events are already encoded.
   */
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
      // A client's claim is counted and logged at `debug` only, because any client can send one.
      settings.logger.debug({ channel: id.contract.name }, "document copy of a client did not match");
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

  /** Refuses a channel whose document was deleted. Such a channel has ended. */
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
      return refuse(`${id.wire} has reached its limit of members.`);
    return { ok: true, id };
  }
}
