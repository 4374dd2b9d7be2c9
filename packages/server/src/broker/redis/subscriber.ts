import type { Cancel } from "@holdfast/protocol";
import type { Redis } from "ioredis";
import type { ServerEnvironment } from "../../environment.js";
import type { Commands } from "./commands.js";
import { NodeConnection } from "./connection.js";
import { slotOf } from "./keys.js";
import type { Topology } from "./topology.js";
import { refusal, unavailable } from "./unavailable.js";

/** Callbacks of a `NodeSubscriber`. */
export interface SubscriberHooks {
  hear(channel: string, bytes: Buffer): void;
  /** All channels are subscribed. Announcements made while the connection was down are lost. */
  onUp(): void;
  onDown(reason: string): void;
}

/**
 * The state of the delivery of announcements. A connection can be open and still deliver nothing:
 * the peer may be dead, or after a failover the publishers may use another node. If a connection is
 * silent for long, the subscriber publishes a probe and waits to receive it.
 *
 *   deaf ──up──▶ listening ──10 s of silence──▶ probing ──4 s without the probe──▶ dropped
 *                    ▲                            │
 *                    └─── the probe arrives ──────┘
 */
type Ear =
  | { readonly name: "deaf" }
  /** An announcement arrived recently. */
  | { readonly name: "listening"; readonly cancel: Cancel }
  /** A probe was published, because no announcement arrived for a while. */
  | { readonly name: "probing"; readonly cancel: Cancel };

/**
 * The silence before a probe is published, and the time that the probe may take. Together with the
 * reconnection that may follow, both take less than 20 s.
 */
const SILENCE_MS = 10_000;
const PROBE_MS = 4_000;
/** Delay before another probe if the probe could not be published. */
const AGAIN_MS = 1_000;
/**
 * Channels that are subscribed at once. The subscriber waits for their replies before it subscribes
 * to the next channels, so that the replies do not fill the output buffer of Redis.
 */
const BATCH = 200;

/**
 * Receives the announcements of one node of Redis, and subscribes to all channels again after each
 * reconnection.
 */
export class NodeSubscriber {
  readonly #environment: ServerEnvironment;
  readonly #topology: Topology;
  readonly #commands: Commands;
  readonly #hooks: SubscriberHooks;
  readonly #connection: NodeConnection;
  readonly #probe: { readonly channel: string; readonly slot: number };
  readonly #held = new Set<string>();
  /** The channels to which the current connection is subscribed. */
  readonly #confirmed = new Set<string>();
  #ear: Ear = { name: "deaf" };
  #heardAt = 0;

  constructor(
    environment: ServerEnvironment,
    { topology, commands, node, prefix }: { topology: Topology; commands: Commands; node: string; prefix: string },
    hooks: SubscriberHooks,
  ) {
    this.#environment = environment;
    this.#topology = topology;
    this.#commands = commands;
    this.#hooks = hooks;
    this.#probe = probeOn(node, topology, `${prefix}:probe:${environment.newId()}`);
    this.#held.add(this.#probe.channel);
    this.#connection = new NodeConnection(environment, {
      open: () => topology.open(node),
      prepare: (client, goesOn) => this.#prepare(client, goesOn),
      onUp: () => {
        this.#listen();
        hooks.onUp();
      },
      onDown: (reason) => {
        this.#stopListening();
        this.#confirmed.clear();
        topology.refresh();
        hooks.onDown(reason);
      },
    });
    this.#connection.start();
  }

  get isUp(): boolean {
    return this.#connection.client !== undefined;
  }

  /**
   * Resolves when the channel is subscribed, or was removed meanwhile. If subscribing fails, the
   * promise rejects, but the next connection subscribes to the channel.
   */
  async add(channel: string): Promise<void> {
    this.#held.add(channel);
    const client = this.#connection.client ?? (await this.#connection.whenUp());
    // The channel may have been removed during the wait.
    if (this.#confirmed.has(channel) || !this.#held.has(channel)) return;
    await this.#commands.deadlines.within(
      () => this.#subscribe(client, [channel]),
      () => {
        this.#connection.drop("Redis does not answer", client);
        return unavailable(
          "Redis did not answer in time, so the topic is not subscribed.",
          "Check that Redis is running, and try again.",
        );
      },
    );
    if (this.#connection.client === client && this.#held.has(channel)) this.#confirmed.add(channel);
  }

  remove(channel: string): void {
    this.#held.delete(channel);
    this.#confirmed.delete(channel);
    if (this.#connection.client) this.#unsubscribe(this.#connection.client, channel);
  }

  close(): void {
    this.#stopListening();
    this.#connection.close();
  }

  async #prepare(client: Redis, goesOn: () => void): Promise<void> {
    this.#confirmed.clear();
    const hear = (channel: Buffer, bytes: Buffer): void => {
      this.#heardAt = this.#environment.monotonic();
      const name = channel.toString();
      if (name === this.#probe.channel) this.#heardProbe();
      else this.#hooks.hear(name, bytes);
    };
    client.on(this.#topology.isCluster ? "smessageBuffer" : "messageBuffer", hear);
    client.on("moved", () => {
      // The node has dropped some subscriptions and does not say which.
      this.#topology.refresh();
      this.#connection.drop("The cluster moved slots", client);
    });
    for (;;) {
      const batch: string[] = [];
      for (const channel of this.#held) {
        if (batch.length === BATCH) break;
        if (!this.#confirmed.has(channel)) batch.push(channel);
      }
      if (batch.length === 0) return;
      await this.#subscribe(client, batch);
      for (const channel of batch) {
        if (this.#held.has(channel)) this.#confirmed.add(channel);
        else this.#unsubscribe(client, channel);
      }
      goesOn();
    }
  }

  #unsubscribe(client: Redis, channel: string): void {
    const gone = this.#topology.isCluster ? client.sunsubscribe(channel) : client.unsubscribe(channel);
    // If the command fails, the connection is lost, and all its subscriptions end.
    gone.catch(() => {});
  }

  async #subscribe(client: Redis, channels: readonly string[]): Promise<void> {
    try {
      // In a cluster, all channels of one command must belong to one slot.
      if (this.#topology.isCluster) await Promise.all(channels.map((channel) => client.ssubscribe(channel)));
      else await client.subscribe(...channels);
    } catch (error) {
      throw refusal(error);
    }
  }

  #listen(atLeastMs = 0): void {
    this.#stopListening();
    const dueInMs = Math.min(SILENCE_MS, this.#heardAt + SILENCE_MS - this.#environment.monotonic());
    const cancel = this.#environment.after(Math.max(dueInMs, atLeastMs, 1), () => this.#onSilence());
    this.#ear = { name: "listening", cancel };
  }

  #stopListening(): void {
    if (this.#ear.name !== "deaf") this.#ear.cancel();
    this.#ear = { name: "deaf" };
  }

  #onSilence(): void {
    const silentMs = this.#environment.monotonic() - this.#heardAt;
    if (silentMs < SILENCE_MS) return this.#listen();
    const client = this.#connection.client;
    const cancel = this.#environment.after(PROBE_MS, () =>
      // Announcements that have already arrived are read first.
      this.#environment.atEndOfTurn(() => {
        if (this.#ear === probing) this.#connection.drop("Announcements do not come through", client);
      }),
    );
    const probing: Ear = { name: "probing", cancel };
    this.#ear = probing;
    this.#commands.announce(this.#probe.slot, this.#probe.channel, "?").catch(() => {
      // Without a published probe, the silence proves nothing.
      if (this.#ear === probing) this.#listen(AGAIN_MS);
    });
  }

  #heardProbe(): void {
    if (this.#ear.name === "probing") this.#listen();
  }
}

/**
 * Finds a channel name for the probe in a slot of this node. If the node owns no slot, any name
 * will do.
 */
function probeOn(node: string, topology: Topology, name: string): { channel: string; slot: number } {
  for (let index = 0; ; index++) {
    const channel = `{${name}:${index}}`;
    const slot = slotOf(channel);
    if (topology.nodeOf(slot) === node || index === 100_000) return { channel, slot };
  }
}
