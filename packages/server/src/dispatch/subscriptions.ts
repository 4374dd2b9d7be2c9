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

/** Returns true if a connection may join a channel. Calls the application's `authorize`. */
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
 * Handles `subscribe`, `unsubscribe` and `list_subscriptions`. The steps of a subscription have a
 * fixed order: validate → already joined? → authorise → broker → limits → join → answer. The last
 * three are synchronous, so no event can come between them: earlier events are in the answer, later
 * events are delivered afterwards, and no event of the channel is delivered before the answer.
 * `Joins` does the steps from the broker on.
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
      // If permissions change during the decision, the remaining channels are decided again.
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
   * Calls `authorize` again for every joined channel and removes the connection from the channels
   * that it may no longer join. This method does not wait for pending subscriptions: a slow
   * decision about one channel must not delay the removal from another.
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
      // The connection has left the channel meanwhile (and perhaps joined it again), or a newer
      // question was answered. Only an answered question counts. Otherwise a client that refreshes
      // its credential again and again could postpone a slow refusal forever.
      if (!joining || membership.joining(wire) !== joining || joining.judgedBy > question) return;
      joining.judgedBy = question;
      // The presence data that other members see may depend on the user's new identity.
      if (verdict.ok) return this.#presence.joined(connection, parsed.value);
      membership.leave(wire);
      // A waiting subscription was told that the channel is joined already, so that subscription
      // must be decided again.
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
      // Parsed in the same way as for `subscribe`, because a key schema may change the text (for
      // example with `toLowerCase`).
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

  /**
   * Calls the application's `authorize`. Never rejects, and waits at most `requestTimeoutMs` for a
   * promise.
   */
  #ask(connection: Connection, id: ChannelId): JoinVerdict | Promise<JoinVerdict> {
    if (!this.#mayJoin) return { ok: true, id };
    const { wire } = id;
    const judge = (allowed: boolean): JoinVerdict =>
      allowed === true ? { ok: true, id } : refused("FORBIDDEN", wire, `You may not join ${wire}.`);
    const failed = (error: unknown): JoinVerdict => {
      // If the connection has closed, the decision was cancelled and is not a failure.
      if (connection.isOpen) this.#settings.logger.error({ channel: id.contract.name, err: error }, "authorize failed");
      return refused("INTERNAL", wire, `Your permission to join ${wire} could not be checked.`);
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
