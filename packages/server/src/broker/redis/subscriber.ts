import type { Cancel } from "@holdfast/protocol";
import type { Redis } from "ioredis";
import type { ServerEnvironment } from "../../environment.js";
import type { Commands } from "./commands.js";
import { NodeConnection } from "./connection.js";
import { slotOf } from "./keys.js";
import type { Topology } from "./topology.js";
import { refusal, unavailable } from "./unavailable.js";

export interface SubscriberHooks {
  hear(channel: string, bytes: Buffer): void;
  /** It is subscribed to all it holds. What was announced while it was not is lost. */
  onUp(): void;
  onDown(reason: string): void;
}

/**
 * Whether anything is heard. A connection can be open and deliver nothing: the peer is gone without
 * a word, or after a failover nobody publishes where it listens.
 */
type Ear =
  | { readonly name: "deaf" }
  /** Something was heard a short while ago. */
  | { readonly name: "listening"; readonly cancel: Cancel }
  /** Nothing was, so something was announced for it to hear. */
  | { readonly name: "probing"; readonly cancel: Cancel };

/**
 * Silence after which it is asked whether it is one, and how long the answer may take: together
 * with a reconnection below 20 s.
 */
const SILENCE_MS = 10_000;
const PROBE_MS = 4_000;
/** When the question could not be asked, it is asked again after this. */
const AGAIN_MS = 1_000;
/**
 * Channels in one command: a reply to each is waited for before the next, so that Redis never owes
 * a connection much.
 */
const BATCH = 200;

/** The connection on which one node announces. */
export class NodeSubscriber {
  readonly #environment: ServerEnvironment;
  readonly #topology: Topology;
  readonly #commands: Commands;
  readonly #hooks: SubscriberHooks;
  readonly #connection: NodeConnection;
  readonly #probe: { readonly channel: string; readonly slot: number };
  readonly #held = new Set<string>();
  /** Those of them that the connection of now is subscribed to. */
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
   * Resolves when it is subscribed. It is held also when that fails: the next connection subscribes
   * to it.
   */
  async add(channel: string): Promise<void> {
    this.#held.add(channel);
    const client = this.#connection.client ?? (await this.#connection.whenUp());
    // It may have been taken out again while this waited.
    if (this.#confirmed.has(channel) || !this.#held.has(channel)) return;
    await this.#commands.deadlines.within(
      () => this.#subscribe(client, [channel]),
      () => {
        this.#connection.drop("It does not answer", client);
        return unavailable("Redis did not answer in time, so it is not subscribed.", "Try again later.");
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
      // The node has dropped some of its channels and does not say which.
      this.#topology.refresh();
      this.#connection.drop("Slots have moved", client);
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
    // With the connection goes the subscription.
    gone.catch(() => {});
  }

  async #subscribe(client: Redis, channels: readonly string[]): Promise<void> {
    try {
      // In a cluster, the channels of one command have to be of one slot.
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
      // What has come is read before it is missed.
      this.#environment.atEndOfTurn(() => {
        if (this.#ear === probing) this.#connection.drop("Announcements do not come through", client);
      }),
    );
    const probing: Ear = { name: "probing", cancel };
    this.#ear = probing;
    this.#commands.announce(this.#probe.slot, this.#probe.channel, "?").catch(() => {
      // Nothing was announced, so that it is not heard says nothing.
      if (this.#ear === probing) this.#listen(AGAIN_MS);
    });
  }

  #heardProbe(): void {
    if (this.#ear.name === "probing") this.#listen();
  }
}

/**
 * A channel of one's own, in a slot of that node. Undefined slots are nobody's, so a node without
 * any gets the first best.
 */
function probeOn(node: string, topology: Topology, name: string): { channel: string; slot: number } {
  for (let index = 0; ; index++) {
    const channel = `{${name}:${index}}`;
    const slot = slotOf(channel);
    if (topology.nodeOf(slot) === node || index === 100_000) return { channel, slot };
  }
}
