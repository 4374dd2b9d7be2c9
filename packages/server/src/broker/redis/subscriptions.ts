import type { ServerEnvironment } from "../../environment.js";
import type { Commands } from "./commands.js";
import { type TopicKeys, topicKeys } from "./keys.js";
import { NodeSubscriber } from "./subscriber.js";
import type { Topology } from "./topology.js";
import { unavailable } from "./unavailable.js";

export interface SubscriptionHooks {
  hear(topic: string, bytes: Buffer): void;
  onUp(): void;
  onDown(reason: string): void;
  /** What was announced on some of the topics may have been missed. */
  onDoubt(): void;
}

interface Wanted {
  readonly topic: string;
  readonly keys: TopicKeys;
  /** Where it was subscribed last. */
  node: string | undefined;
  /**
   * Undefined once it was confirmed: from then on it is a subscription, whatever becomes of
   * connections.
   */
  establishing: Promise<void> | undefined;
}

/** The topics an instance wants to hear, each on the node that announces it. */
export class TopicSubscriptions {
  readonly #environment: ServerEnvironment;
  readonly #topology: Topology;
  readonly #commands: Commands;
  readonly #prefix: string;
  readonly #hooks: SubscriptionHooks;
  readonly #wanted = new Map<string, Wanted>();
  readonly #byChannel = new Map<string, Wanted>();
  readonly #subscribers = new Map<string, NodeSubscriber>();
  #isClosed = false;

  constructor(
    environment: ServerEnvironment,
    parts: { topology: Topology; commands: Commands; prefix: string },
    hooks: SubscriptionHooks,
  ) {
    this.#environment = environment;
    this.#topology = parts.topology;
    this.#commands = parts.commands;
    this.#prefix = parts.prefix;
    this.#hooks = hooks;
  }

  get isUp(): boolean {
    return [...this.#subscribers.values()].every(({ isUp }) => isUp);
  }

  /**
   * One that was confirmed stays confirmed while its connection is made anew: doubt follows, as for
   * all.
   */
  subscribe(topic: string): Promise<void> {
    const known = this.#wanted.get(topic);
    if (known) return known.establishing ?? Promise.resolve();
    const keys = topicKeys(this.#prefix, topic);
    const wanted: Wanted = { topic, keys, node: undefined, establishing: undefined };
    this.#wanted.set(topic, wanted);
    this.#byChannel.set(keys.channel, wanted);
    wanted.establishing = this.#establish(wanted);
    return wanted.establishing;
  }

  unsubscribe(topic: string): void {
    const wanted = this.#wanted.get(topic);
    if (wanted) this.#forget(wanted);
  }

  /** The cluster may have moved slots: what is wanted follows them. */
  place(): void {
    if (!this.#topology.isCluster) return;
    let hasMoved = false;
    for (const wanted of this.#wanted.values()) {
      const node = this.#topology.nodeOf(wanted.keys.slot);
      if (wanted.establishing || node === undefined || node === wanted.node) continue;
      if (wanted.node !== undefined) this.#subscribers.get(wanted.node)?.remove(wanted.keys.channel);
      wanted.node = node;
      hasMoved = true;
      // When it fails, the connection is made anew, which subscribes to it.
      this.#on(node)
        .add(wanted.keys.channel)
        .then(() => this.#isClosed || this.#hooks.onDoubt())
        .catch(() => {});
    }
    if (!hasMoved) return;
    const used = new Set([...this.#wanted.values()].map(({ node }) => node));
    for (const [node, subscriber] of this.#subscribers) {
      if (used.has(node)) continue;
      this.#subscribers.delete(node);
      subscriber.close();
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const subscriber of this.#subscribers.values()) subscriber.close();
  }

  async #establish(wanted: Wanted): Promise<void> {
    try {
      await this.#commands.deadlines.within(
        async (isOver) => {
          for (;;) {
            wanted.node = await this.#commands.nodeOf(wanted.keys.slot);
            if (this.#isClosed) throw unavailable("The link to Redis is closed.");
            if (isOver() || this.#wanted.get(wanted.topic) !== wanted) return;
            const subscriber = this.#on(wanted.node);
            try {
              return await subscriber.add(wanted.keys.channel);
            } catch (error) {
              if (isOver() || !this.#topology.isCluster) throw error;
              // It may have moved, and the map is on its way.
              await this.#commands.pause();
              if (this.#topology.nodeOf(wanted.keys.slot) === wanted.node) throw error;
              subscriber.remove(wanted.keys.channel);
            }
          }
        },
        () => unavailable("Redis did not answer in time, so it is not subscribed.", "Try again later."),
      );
      wanted.establishing = undefined;
    } catch (error) {
      if (this.#wanted.get(wanted.topic) === wanted) this.#forget(wanted);
      throw error;
    }
  }

  #forget(wanted: Wanted): void {
    this.#wanted.delete(wanted.topic);
    this.#byChannel.delete(wanted.keys.channel);
    if (wanted.node !== undefined) this.#subscribers.get(wanted.node)?.remove(wanted.keys.channel);
  }

  #on(node: string): NodeSubscriber {
    const known = this.#subscribers.get(node);
    if (known) return known;
    const parts = { topology: this.#topology, commands: this.#commands, node, prefix: this.#prefix };
    const subscriber = new NodeSubscriber(this.#environment, parts, {
      hear: (channel, bytes) => {
        const wanted = this.#byChannel.get(channel);
        // After a move, what the old node still says comes without order.
        if (wanted?.node === node) this.#hooks.hear(wanted.topic, bytes);
      },
      onUp: () => {
        this.#hooks.onUp();
        for (const { node: at, establishing } of this.#wanted.values()) {
          if (at !== node || establishing) continue;
          this.#hooks.onDoubt();
          break;
        }
      },
      onDown: this.#hooks.onDown,
    });
    this.#subscribers.set(node, subscriber);
    return subscriber;
  }
}
