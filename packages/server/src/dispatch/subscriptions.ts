import {
  type ClientMessage,
  type ChannelId,
  HoldfastError,
  parseChannel,
  type Protocol,
  type SubscribeResult,
  toWire,
} from "@holdfast/protocol";
import { Membership } from "../channel/membership.js";
import type { Channels } from "../channel/channels.js";
import { inTime, isThenable } from "../environment.js";
import type { Settings } from "../options.js";
import type { Stats } from "../observe/stats.js";
import type { Connection } from "../session/connection.js";
import { replyTo } from "./reply-to.js";

/** Whether a connection may join a channel; the application's `authorize` behind it. */
export type MayJoin = (connection: Connection, id: ChannelId) => boolean | Promise<boolean>;

/**
 * Channels in messages that wait for the verdict on one before them: far more than a client that comes back asks for at once,
 * and about a megabyte of the longest names.
 */
const MAX_WAITING = 4_096;

type Reply = ReturnType<typeof replyTo>;

type Verdict = { ok: true; id: ChannelId } | { ok: false; channel: string; error: HoldfastError };

/**
 * Joins and leaves channels. The order of a subscription is fixed: already joined? → validate → authorise → limits →
 * remember → answer. The last two happen in one go, so no event can come between them: what is published after the answer is
 * delivered, and nothing is delivered before it.
 */
export class Subscriptions {
  readonly #protocol: Protocol;
  readonly #channels: Channels;
  readonly #mayJoin: MayJoin | undefined;
  readonly #settings: Settings;
  readonly #stats: Stats;

  constructor(protocol: Protocol, channels: Channels, mayJoin: MayJoin | undefined, settings: Settings, stats: Stats) {
    this.#protocol = protocol;
    this.#channels = channels;
    this.#mayJoin = mayJoin;
    this.#settings = settings;
    this.#stats = stats;
  }

  subscribe(connection: Connection, message: ClientMessage & { type: "subscribe" }): void {
    const { channels } = message.data;
    const reply = replyTo(message);
    const membership = (connection.membership ??= new Membership(this.#channels, connection));
    this.#change(connection, channels.length, reply, () => {
      const verdicts = channels.map((entry) =>
        this.#judge(connection, membership, typeof entry === "string" ? entry : entry.channel),
      );
      if (verdicts.some((verdict) => verdict instanceof Promise))
        return Promise.all(verdicts).then((settled) => this.#join(connection, membership, channels, reply, settled));
      return this.#join(connection, membership, channels, reply, verdicts as Verdict[]);
    });
  }

  unsubscribe(connection: Connection, message: ClientMessage & { type: "unsubscribe" }): void {
    const { channels } = message.data;
    const reply = replyTo(message);
    this.#change(connection, channels.length, reply, () => {
      for (const wire of channels) connection.membership?.leave(wire);
      connection.send({ type: "unsubscribe_response", ...reply, data: { success: true, unsubscribed: channels } });
    });
  }

  list(connection: Connection, message: ClientMessage & { type: "list_subscriptions" }): void {
    const reply = replyTo(message);
    this.#change(connection, 1, reply, () =>
      connection.send({ type: "subscriptions", ...reply, data: { channels: connection.membership?.channels() ?? [] } }),
    );
  }

  /**
   * Runs what a message asks for, after what was asked before it. What waits is the peer's to choose and ours to keep, so it
   * is bounded, and holds of the message no more than it needs.
   */
  #change(connection: Connection, channels: number, reply: Reply, run: () => Promise<void> | void): void {
    const { membership } = connection;
    if (!membership) return void run();
    if (membership.waiting >= Math.max(MAX_WAITING, 4 * this.#settings.limits.subscriptions))
      return connection.close("RATE_LIMITED", '{"retryAfterMs":1000}');
    const failed = (error: unknown): void => {
      this.#settings.logger.error({ session: connection.id, err: error }, "a subscription could not be answered");
      const answer = new HoldfastError("INTERNAL", "The message could not be handled.");
      connection.send({ type: "error", ...reply, data: toWire(answer) });
    };
    membership.change(channels, () => {
      try {
        const running = run();
        return running instanceof Promise ? running.catch(failed) : undefined;
      } catch (error) {
        return failed(error);
      }
    });
  }

  #judge(connection: Connection, membership: Membership, wire: string): Verdict | Promise<Verdict> {
    const parsed = parseChannel(this.#protocol, wire);
    const refuse = (code: string, text: string): Verdict => ({
      ok: false,
      channel: wire,
      error: new HoldfastError(code, text, { field: "channels" }),
    });
    if (!parsed.ok) return refuse("UNKNOWN_CHANNEL", parsed.fault.message);
    const id = parsed.value;
    if (membership.has(id.wire) || !this.#mayJoin) return { ok: true, id };
    const judge = (allowed: boolean): Verdict =>
      allowed === true ? { ok: true, id } : refuse("FORBIDDEN", `You may not join ${wire}.`);
    const failed = (error: unknown): Verdict => {
      this.#settings.logger.error({ channel: id.contract.name, err: error }, "authorize failed");
      return refuse("INTERNAL", `It could not be decided whether you may join ${wire}.`);
    };
    try {
      const answer = this.#mayJoin(connection, id);
      const { environment, requestTimeoutMs } = this.#settings;
      return isThenable(answer)
        ? inTime(answer, environment, requestTimeoutMs, "authorize did not answer in time").then(judge, failed)
        : judge(answer);
    } catch (error) {
      return failed(error);
    }
  }

  #join(
    connection: Connection,
    membership: Membership,
    asked: readonly (string | { readonly position?: unknown })[],
    reply: Reply,
    verdicts: Verdict[],
  ): void {
    const results = verdicts.map((verdict, index): SubscribeResult => {
      const judged = verdict.ok ? this.#withinLimits(membership, verdict.id) : verdict;
      if (!judged.ok) {
        this.#stats.subscriptionsFailed++;
        this.#stats.error(judged.error.code);
        return { ok: false, channel: judged.channel, error: toWire(judged.error) };
      }
      const { id } = judged;
      membership.join(id);
      // A position asks to continue, and nothing is kept yet to continue from: the honest answer is a reset, always.
      const entry = asked[index];
      const resumes = typeof entry === "object" && entry.position !== undefined;
      return { ok: true, channel: id.wire, ...(resumes && { reset: "server" as const }) };
    });
    const subscribed = results.filter((result) => result.ok).map((result) => result.channel);
    connection.send({
      type: "subscribe_response",
      ...reply,
      data: { success: subscribed.length === results.length, subscribed, results },
    });
  }

  #withinLimits(membership: Membership, id: ChannelId): Verdict {
    const { limits } = this.#settings;
    const refuse = (text: string): Verdict => ({
      ok: false,
      channel: id.wire,
      error: new HoldfastError("LIMIT_EXCEEDED", text),
    });
    if (membership.has(id.wire)) return { ok: true, id };
    if (membership.size >= limits.subscriptions)
      return refuse(`A connection may join ${limits.subscriptions} channels.`);
    if (this.#channels.size(id) >= limits.subscribersPerChannel)
      return refuse(`${id.wire} has all the members it may have.`);
    return { ok: true, id };
  }
}
