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
import type { Settings } from "../options.js";
import type { Stats } from "../observe/stats.js";
import type { Connection } from "../session/connection.js";
import { replyTo } from "./reply-to.js";

/** Whether a connection may join a channel; the application's `authorize` behind it. */
export type MayJoin = (connection: Connection, id: ChannelId) => boolean | Promise<boolean>;

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
    const membership = (connection.membership ??= new Membership(this.#channels, connection));
    membership.change(() => {
      const verdicts = message.data.channels.map((entry) =>
        this.#judge(connection, membership, typeof entry === "string" ? entry : entry.channel),
      );
      if (verdicts.some((verdict) => verdict instanceof Promise)) {
        return Promise.all(verdicts)
          .then((settled) => this.#join(connection, membership, message, settled))
          .catch((error: unknown) =>
            this.#settings.logger.error({ err: error }, "a subscription could not be answered"),
          );
      }
      return this.#join(connection, membership, message, verdicts as Verdict[]);
    });
  }

  unsubscribe(connection: Connection, message: ClientMessage & { type: "unsubscribe" }): void {
    const { channels } = message.data;
    const leave = () => {
      for (const wire of channels) connection.membership?.leave(wire);
      connection.send({
        type: "unsubscribe_response",
        ...replyTo(message),
        data: { success: true, unsubscribed: channels },
      });
    };
    if (connection.membership) connection.membership.change(leave);
    else leave();
  }

  list(connection: Connection, message: ClientMessage & { type: "list_subscriptions" }): void {
    const answer = () =>
      connection.send({
        type: "subscriptions",
        ...replyTo(message),
        data: { channels: connection.membership?.channels() ?? [] },
      });
    if (connection.membership) connection.membership.change(answer);
    else answer();
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
      return answer instanceof Promise ? this.#inTime(answer).then(judge, failed) : judge(answer);
    } catch (error) {
      return failed(error);
    }
  }

  #join(
    connection: Connection,
    membership: Membership,
    message: ClientMessage & { type: "subscribe" },
    verdicts: Verdict[],
  ): void {
    const asked = message.data.channels;
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
      ...replyTo(message),
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

  #inTime(answer: Promise<boolean>): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const { environment, requestTimeoutMs } = this.#settings;
      const cancel = environment.after(requestTimeoutMs, () => reject(new Error("authorize did not answer in time")));
      answer.then(resolve, reject).finally(cancel);
    });
  }
}
