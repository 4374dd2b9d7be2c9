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
import { type MemoryLink, MemoryStore, type Topic } from "../../src/broker/memory-broker.js";

/** The faults of a broker. Chances are between 0 and 1, times are in virtual milliseconds. */
export interface Weather {
  /** Returns numbers between 0 and 1, the same sequence for the same seed. */
  readonly random: () => number;
  /** The longest time that a command or an announcement is in flight. */
  readonly latencyMs: number;
  /** The chance that an announcement is lost without a trace. */
  readonly lost: number;
  /** The chance that an announcement is delivered twice. */
  readonly twice: number;
  /** The chance that an announcement is overtaken by the next one. */
  readonly overtaken: number;
}

/** No faults, and a small latency. */
export const fairWeather: Weather = { random: () => 0.5, latencyMs: 2, lost: 0, twice: 0, overtaken: 0 };

/** A publication that the store accepted at some time. */
export interface AcceptedPublication {
  readonly topic: string;
  readonly publication: Publication;
  /** The previous publication on the topic, on the same branch of the history. */
  readonly previous: AcceptedPublication | undefined;
}

export interface Snapshot {
  readonly topics: Map<string, Topic>;
  readonly tops: Map<string, AcceptedPublication>;
}

/**
 * A store that can be rolled back, trimmed and emptied. Every accepted publication is recorded.
 */
class SimStore extends MemoryStore {
  /** Every publication with a position, in the order of acceptance. */
  readonly accepted: AcceptedPublication[] = [];
  /** Called after each change of the stored data. */
  onChange = (): void => {};
  /** The last publication of each topic on the current branch of the history. */
  #tops = new Map<string, AcceptedPublication>();

  override announce(topic: string, publication: Publication): void {
    if (publication.link) {
      const accepted = { topic, publication, previous: this.#tops.get(topic) };
      this.accepted.push(accepted);
      this.#tops.set(topic, accepted);
    }
    super.announce(topic, publication);
    this.onChange();
  }

  /**
   * The last publication of a topic on the current branch of the history, or undefined.
   */
  top(topic: string): AcceptedPublication | undefined {
    return this.#tops.get(topic);
  }

  snapshot(): Snapshot {
    return { topics: copy(this.topics), tops: new Map(this.#tops) };
  }

  restore({ topics, tops }: Snapshot): void {
    this.topics.clear();
    for (const [name, topic] of copy(topics)) this.topics.set(name, topic);
    this.#tops = new Map(tops);
    this.onChange();
  }

  empty(): void {
    this.restore({ topics: new Map(), tops: new Map() });
  }

  /** Removes the older half of every log. */
  trim(): void {
    for (const topic of this.topics.values()) topic.log = topic.log.slice(Math.ceil(topic.log.length / 2));
    this.onChange();
  }
}

/**
 * A broker in virtual time with the faults of a real one: latency, disconnects, lost, reordered and
 * repeated announcements, and a store that can be rolled back.
 */
export class SimBroker implements Broker {
  readonly store = new SimStore();
  readonly links: SimLink[] = [];

  /**
   * `idsAreOffsets`: an id carries no more than the offset, as in systems that rely on epoch and
   * offset alone.
   */
  constructor(
    public weather: Weather = fairWeather,
    readonly idsAreOffsets = false,
  ) {}

  join(instance: BrokerInstance): SimLink {
    const link = new SimLink(this, instance);
    this.links.push(link);
    return link;
  }

  /** Disconnects all instances from the store. `up` ends the outage. */
  down(): void {
    for (const link of this.links) link.cut();
  }

  up(): void {
    for (const link of this.links) link.mend();
  }
}

export class SimLink implements BrokerLink {
  readonly #broker: SimBroker;
  readonly #instance: BrokerInstance;
  readonly #inner: MemoryLink;
  #isUp = true;
  #isClosed = false;
  /** While true, announcements are lost without a trace. */
  isDeaf = false;
  /** Virtual time at which the last announcement in flight arrives. The next arrives no earlier. */
  #arrivesAt = 0;
  /** Incremented on each disconnect. Commands and announcements in flight are lost then. */
  #life = 0;

  constructor(broker: SimBroker, instance: BrokerInstance) {
    this.#broker = broker;
    this.#instance = instance;
    const heard = (topic: string, publication: Publication): void => this.announce(topic, publication);
    this.#inner = broker.store.join({
      id: instance.id,
      protocol: instance.protocol,
      environment: instance.environment,
      logger: instance.logger,
      receive: heard,
      onDoubt() {},
      onGone() {},
      onForgotten() {},
    }) as MemoryLink;
  }

  get isHealthy(): boolean {
    return this.#isUp;
  }

  cut(): void {
    this.#isUp = false;
    this.#life++;
  }

  mend(): void {
    if (this.#isUp || this.#isClosed) return;
    this.#isUp = true;
    this.#instance.onDoubt();
  }

  publish(topic: string, id: string, body: string, options?: AppendOptions): Promise<Appended> {
    const { store, idsAreOffsets } = this.#broker;
    const named = (): string => (idsAreOffsets ? `${(store.topics.get(topic)?.offset ?? 0) + 1}` : id);
    return this.#command(() => this.#inner.publish(topic, named(), body, options));
  }

  subscribe(topic: string): Promise<void> {
    return this.#command(() => this.#inner.subscribe(topic));
  }

  unsubscribe(topic: string): void {
    this.#inner.unsubscribe(topic);
  }

  read(topic: string, options: ReadOptions): Promise<Reading> {
    return this.#command(() => this.#inner.read(topic, options));
  }

  positions(topics: readonly string[]): Promise<(Position | undefined)[]> {
    return this.#command(() => this.#inner.positions(topics));
  }

  instances(): Promise<ReadonlySet<string>> {
    return this.#command(() => this.#inner.instances());
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#life++;
    return this.#inner.close();
  }

  /**
   * Sends a command and waits for the answer. If the connection is lost in either direction, the
   * caller does not learn whether the command ran.
   */
  async #command<Value>(run: () => Promise<Value>): Promise<Value> {
    const life = this.#life;
    await this.#travel();
    if (!this.#isUp || life !== this.#life) throw await this.#unavailable();
    const value = await run();
    await this.#travel();
    if (life !== this.#life) throw await this.#unavailable();
    return value;
  }

  #travel(): Promise<void> {
    const { random, latencyMs } = this.#broker.weather;
    return this.#wait(random() * latencyMs);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#instance.environment.after(ms, resolve));
  }

  async #unavailable(): Promise<HoldfastError> {
    await this.#wait(200);
    return new HoldfastError("UNAVAILABLE", "The broker cannot be reached.");
  }

  /** Sends an announcement to the instance. */
  announce(topic: string, publication: Publication): void {
    const { random, latencyMs, lost, twice, overtaken } = this.#broker.weather;
    if (!this.#isUp || this.isDeaf || random() < lost) return;
    const { environment } = this.#instance;
    const at = Math.max(environment.monotonic() + random() * latencyMs, this.#arrivesAt);
    // An overtaken announcement arrives after the next one, which does not wait.
    const late = random() < overtaken ? latencyMs * 3 : 0;
    if (late === 0) this.#arrivesAt = at;
    for (let copies = random() < twice ? 2 : 1; copies > 0; copies--) this.#arrive(topic, publication, at + late);
  }

  #arrive(topic: string, publication: Publication, at: number): void {
    const life = this.#life;
    this.#instance.environment.after(Math.max(0, at - this.#instance.environment.monotonic()), () => {
      if (this.#isUp && life === this.#life) this.#instance.receive(topic, publication);
    });
  }
}

function copy(topics: Map<string, Topic>): Map<string, Topic> {
  return new Map(
    [...topics].map(([name, topic]) => [
      name,
      { ...topic, log: [...topic.log], table: new Map(topic.table), keys: new Map(topic.keys) },
    ]),
  );
}
