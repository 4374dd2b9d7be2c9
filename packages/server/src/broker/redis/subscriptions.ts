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
  /** Announcements of some topics may have been missed. */
  onDoubt(): void;
}

/** A topic that this instance subscribes to. */
interface Wanted {
  readonly topic: string;
  readonly keys: TopicKeys;
  /** The node on which the topic was last subscribed. */
  node: string | undefined;
  /**
   * The running first subscription of the topic. Undefined after Redis has confirmed the
   * subscription. From then on the topic counts as subscribed, even while its connection is being
   * replaced.
   */
  establishing: Promise<void> | undefined;
}

/**
 * Subscribes to the topics of one instance, each on the node of Redis that owns the topic's slot.
 * If the cluster moves a slot, the subscription moves too.
 */
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
   * Resolves when the topic is subscribed. If the topic was already confirmed, resolves at once,
   * even while its connection is being replaced: `onDoubt` follows when the new connection is up.
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

  /**
   * Called when the cluster may have moved slots. Moves each subscription to the node that owns its
   * slot now.
   */
  place(): void {
    if (!this.#topology.isCluster) return;
    let hasMoved = false;
    for (const wanted of this.#wanted.values()) {
      const node = this.#topology.nodeOf(wanted.keys.slot);
      if (wanted.establishing || node === undefined || node === wanted.node) continue;
      if (wanted.node !== undefined) this.#subscribers.get(wanted.node)?.remove(wanted.keys.channel);
      wanted.node = node;
      hasMoved = true;
      // If subscribing fails, the next connection subscribes to all topics.
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
            if (this.#isClosed) throw unavailable("This instance has left the broker.");
            if (isOver() || this.#wanted.get(wanted.topic) !== wanted) return;
            const subscriber = this.#on(wanted.node);
            try {
              return await subscriber.add(wanted.keys.channel);
            } catch (error) {
              if (isOver() || !this.#topology.isCluster) throw error;
              // The slot may have moved. Wait for the new map of the cluster.
              await this.#commands.pause();
              if (this.#topology.nodeOf(wanted.keys.slot) === wanted.node) throw error;
              subscriber.remove(wanted.keys.channel);
            }
          }
        },
        () =>
          unavailable(
            "Redis did not answer in time, so the topic is not subscribed.",
            "Check that Redis is running, and try again.",
          ),
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
        // After a move, announcements of the old node and the new node are not ordered, so
        // announcements of the old node are ignored.
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
