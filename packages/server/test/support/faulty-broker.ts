import { HoldfastError, type Position } from "@holdfast/protocol";
import type {
  Appended,
  Broker,
  BrokerInstance,
  BrokerLink,
  Publication,
  AppendOptions,
  Reading,
  ReadOptions,
} from "../../src/broker/broker.js";
import { MemoryStore } from "../../src/broker/memory-broker.js";
import type { VirtualEnvironment } from "./virtual-environment.js";

/** How long a silent instance still counts as alive. */
export const LEASE_MS = 10_000;

/**
 * A memory broker that can become unreachable, and can lose announcements, stored data and
 * instances.
 */
export class FaultyBroker implements Broker {
  readonly store = new MemoryStore();
  readonly links: FaultyLink[] = [];
  /** While true, no instance reaches the broker. */
  isDown = false;
  /** Decides whether an announcement is lost, by the id of the receiving instance and the topic. */
  loses: (instance: string, topic: string) => boolean = () => false;
  readonly #environment: VirtualEnvironment;

  constructor(environment: VirtualEnvironment) {
    this.#environment = environment;
  }

  join(instance: BrokerInstance): BrokerLink {
    const link = new FaultyLink(this, instance);
    this.links.push(link);
    return link;
  }

  /** Ends the outage. Each living instance is told that announcements may be missing. */
  comeBack(): void {
    this.isDown = false;
    for (const link of this.links) if (link.isAlive) link.instance.onDoubt();
  }

  /** Removes all stored data. Each living instance is told about the loss. */
  forget(): void {
    this.store.topics.clear();
    for (const link of this.links) if (link.isAlive) link.instance.onForgotten();
    for (const link of this.links) if (link.isAlive) link.instance.onDoubt();
  }

  /** Kills an instance. The others are told when the lease of the instance has expired. */
  kill(id: string): void {
    const link = this.links.find(({ instance }) => instance.id === id)!;
    link.isAlive = false;
    this.#environment.after(LEASE_MS, () => {
      void link.inner.close();
      for (const other of this.links) if (other.isAlive) other.instance.onGone([id]);
    });
  }
}

class FaultyLink implements BrokerLink {
  isAlive = true;
  readonly inner: BrokerLink;
  readonly #broker: FaultyBroker;

  constructor(
    broker: FaultyBroker,
    readonly instance: BrokerInstance,
  ) {
    this.#broker = broker;
    this.inner = broker.store.join({
      ...instance,
      receive: (topic: string, publication: Publication) => {
        if (!this.isAlive || broker.isDown || broker.loses(instance.id, topic)) return;
        instance.receive(topic, publication);
      },
    });
  }

  get isHealthy(): boolean {
    return !this.#broker.isDown;
  }

  publish(topic: string, id: string, body: string, options?: AppendOptions): Promise<Appended> {
    return this.#try(() => this.inner.publish(topic, id, body, options));
  }

  subscribe(topic: string): Promise<void> {
    return this.#try(() => this.inner.subscribe(topic));
  }

  unsubscribe(topic: string): void {
    this.inner.unsubscribe(topic);
  }

  read(topic: string, options: ReadOptions): Promise<Reading> {
    return this.#try(() => this.inner.read(topic, options));
  }

  positions(topics: readonly string[]): Promise<(Position | undefined)[]> {
    return this.#try(() => this.inner.positions(topics));
  }

  instances(): Promise<ReadonlySet<string>> {
    return this.#try(() => this.inner.instances());
  }

  close(): Promise<void> {
    this.isAlive = false;
    return this.inner.close();
  }

  #try<Value>(ask: () => Promise<Value>): Promise<Value> {
    // A killed process receives no answer, not even an error.
    if (!this.isAlive) return new Promise(() => {});
    if (this.#broker.isDown) return Promise.reject(new HoldfastError("UNAVAILABLE", "The broker cannot be reached."));
    return ask();
  }
}
