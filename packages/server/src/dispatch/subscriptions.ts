import { type ClientMessage, type ChannelId, HoldfastError, type Protocol } from "@holdfast/protocol";
import { parseChannel, toWire } from "@holdfast/protocol/internal";
import type { Membership } from "../channel/membership.js";
import type { Channels } from "../channel/channels.js";
import { inTime, isThenable } from "../environment.js";
import type { ServerSettings } from "../settings.js";
import type { Stats } from "../observe/stats.js";
import type { Connection } from "../session/connection.js";
import type { Reauthorizer } from "../session/reauthorizer.js";
import { inTurn } from "./in-turn.js";
import { Joins, type JoinVerdict } from "./joins.js";
import type { PresenceUpdates } from "./presence-updates.js";
import { replyTo } from "../transport/reply-to.js";

/** Whether a connection may join a channel; the application's `authorize` behind it. */
export type MayJoin = (connection: Connection, id: ChannelId) => boolean | Promise<boolean>;

export interface SubscriptionParts {
  readonly protocol: Protocol;
  readonly channels: Channels;
  readonly mayJoin: MayJoin | undefined;
  readonly presenceUpdates: PresenceUpdates;
  readonly settings: ServerSettings;
  readonly stats: Stats;
}

/**
 * Joins and leaves channels. The order of a subscription is fixed: already joined? → validate →
 * authorise → broker → limits → remember → answer. The last three happen in one go, so no event can
 * come between them: what was published before is in the answer, what is published after it is
 * delivered, and nothing is delivered before it.
 */
export class SubscriptionRequests implements Reauthorizer {
  readonly #protocol: Protocol;
  readonly #mayJoin: MayJoin | undefined;
  readonly #presence: PresenceUpdates;
  readonly #settings: ServerSettings;
  readonly #stats: Stats;
  readonly #joins: Joins;

  constructor(parts: SubscriptionParts) {
    this.#joins = new Joins(parts);
    this.#protocol = parts.protocol;
    this.#mayJoin = parts.mayJoin;
    this.#presence = parts.presenceUpdates;
    this.#settings = parts.settings;
    this.#stats = parts.stats;
  }

  subscribe(connection: Connection, message: ClientMessage & { type: "subscribe" }): void {
    const { channels } = message.data;
    const reply = replyTo(message);
    const membership = connection.ensureMembership();
    const judgeFrom = (start: number): Promise<void> | void => {
      const { permissions } = membership;
      // What was granted under permissions that have changed meanwhile is asked anew.
      const isCurrent = (): boolean => membership.permissions === permissions;
      const asked = channels
        .slice(start)
        .map((entry) => (typeof entry === "string" ? { channel: entry, position: undefined } : entry));
      const goOn = (answered: number): Promise<void> | void => {
        const next = start + answered;
        return connection.isOpen && next < channels.length ? judgeFrom(next) : undefined;
      };
      const join = (verdicts: readonly JoinVerdict[]): Promise<void> | void => {
        const wishes = verdicts.map((verdict, index) => ({ position: undefined, ...asked[index], verdict }));
        const answered = this.#joins.join({ connection, membership, wishes, reply, isCurrent });
        return typeof answered === "number" ? goOn(answered) : answered.then(goOn);
      };
      const verdicts = asked.map(({ channel }) => this.#judge(connection, membership, channel));
      return verdicts.some((verdict) => verdict instanceof Promise)
        ? Promise.all(verdicts).then(join)
        : join(verdicts as JoinVerdict[]);
    };
    inTurn(connection, channels.length, reply, this.#settings, () => judgeFrom(0));
  }

  /**
   * Asks `authorize` again for everything the connection has joined, and takes it off what is not
   * granted any more. Not in turn with what the client asks for: a subscription whose verdict is
   * slow must not hold up one that has to end.
   */
  async reauthorize(connection: Connection): Promise<void> {
    const { membership } = connection;
    if (!membership) return;
    membership.permissions++;
    const question = ++membership.reauthorized;
    const judged = membership.channels().map(async (wire) => {
      const parsed = parseChannel(this.#protocol, wire);
      const joining = membership.joining(wire);
      if (!parsed.ok) return;
      const verdict = await this.#ask(connection, parsed.value);
      // Left, or left and joined again meanwhile; or a newer question was answered. One that was
      // only asked changes nothing: a client that refreshes its credential again and again would
      // put a slow "no" off for ever.
      if (!joining || membership.joining(wire) !== joining || joining.judgedBy > question) return;
      joining.judgedBy = question;
      // What others see of the user may depend on who it is now.
      if (verdict.ok) return this.#presence.joined(connection, parsed.value);
      membership.leave(wire);
      // A subscription that waits was told that it is joined already; it has to ask again.
      membership.permissions++;
      this.#stats.error(verdict.error.code);
      connection.send({ type: "unsubscribed", channel: wire, data: toWire(verdict.error) });
    });
    await Promise.all(judged);
  }

  unsubscribe(connection: Connection, message: ClientMessage & { type: "unsubscribe" }): void {
    const { channels } = message.data;
    const reply = replyTo(message);
    inTurn(connection, channels.length, reply, this.#settings, () => {
      // Read as `subscribe` reads them: a key schema may change the text (`toLowerCase`).
      const unsubscribed = channels.map((wire) => {
        const parsed = parseChannel(this.#protocol, wire);
        return parsed.ok ? parsed.value.wire : wire;
      });
      for (const wire of unsubscribed) connection.membership?.leave(wire);
      connection.send({ type: "unsubscribe_response", ...reply, data: { success: true, unsubscribed } });
    });
  }

  list(connection: Connection, message: ClientMessage & { type: "list_subscriptions" }): void {
    const reply = replyTo(message);
    inTurn(connection, 1, reply, this.#settings, () =>
      connection.send({ type: "subscriptions", ...reply, data: { channels: connection.membership?.channels() ?? [] } }),
    );
  }

  #judge(connection: Connection, membership: Membership, wire: string): JoinVerdict | Promise<JoinVerdict> {
    const parsed = parseChannel(this.#protocol, wire);
    if (!parsed.ok) return refused("UNKNOWN_CHANNEL", wire, parsed.fault.message);
    return membership.has(parsed.value.wire) ? { ok: true, id: parsed.value } : this.#ask(connection, parsed.value);
  }

  /** Asks the application. Never rejects, and never takes longer than it may. */
  #ask(connection: Connection, id: ChannelId): JoinVerdict | Promise<JoinVerdict> {
    if (!this.#mayJoin) return { ok: true, id };
    const { wire } = id;
    const judge = (allowed: boolean): JoinVerdict =>
      allowed === true ? { ok: true, id } : refused("FORBIDDEN", wire, `You may not join ${wire}.`);
    const failed = (error: unknown): JoinVerdict => {
      // Nobody is left to hear of a verdict that was given up.
      if (connection.isOpen) this.#settings.logger.error({ channel: id.contract.name, err: error }, "authorize failed");
      return refused("INTERNAL", wire, `It could not be decided whether you may join ${wire}.`);
    };
    try {
      const answer = this.#mayJoin(connection, id);
      const { environment, requestTimeoutMs } = this.#settings;
      return isThenable(answer)
        ? inTime(answer, environment, requestTimeoutMs, "authorize did not answer in time", (giveUp) =>
            connection.membership!.asked(giveUp),
          ).then(judge, failed)
        : judge(answer);
    } catch (error) {
      return failed(error);
    }
  }
}

function refused(code: string, channel: string, text: string): JoinVerdict {
  return { ok: false, channel, error: new HoldfastError(code, text, { field: "channels" }) };
}
