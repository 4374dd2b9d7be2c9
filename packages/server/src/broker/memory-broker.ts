import { type Cancel, HoldfastError, type Position } from "@holdfast/protocol";
import type {
  Appended,
  Broker,
  BrokerInstance,
  BrokerLink,
  Document,
  TableEntry,
  Publication,
  AppendOptions,
  Reading,
  ReadOptions,
} from "./broker.js";

/** Lifetime of an idempotency key. */
const KEY_MS = 600_000;
/**
 * How long the store remembers a topic with a log after its last publication, reading or request
 * for its position. Until then, clients can resume, unless `MOST_IDLE` is exceeded.
 */
const TOPIC_MS = 30 * 24 * 3_600_000;
const SWEEP_MS = 30_000;
/**
 * The most topics with neither a document nor a subscriber. Beyond this number, the topics that
 * were published or read least recently are dropped. A client that resumes then receives a reset.
 */
const MOST_IDLE = 100_000;

/** Everything that the store remembers of a topic. */
export interface Topic {
  epoch: string;
  offset: number;
  id: string;
  log: Publication[];
  logTtlMs: number;
  table: Map<string, string>;
  document: Document | undefined;
  keys: Map<string, { readonly position: Position; readonly at: number }>;
  /** How long the topic is remembered after `touchedAt`. */
  ttlMs: number;
  publishedAt: number;
  touchedAt: number;
}

/**
 * Keeps everything in the memory of the process. This is the default broker and needs no
 * installation. Servers of the same protocol that share one memory broker act as instances of one
 * server. Every subscriber receives a publication before `publish` returns, unless a subscriber
 * calls `publish` during a delivery.
 */
export function memoryBroker(): Broker {
  const stores = new Map<string, MemoryStore>();
  return {
    join(instance) {
      const store = stores.get(instance.protocol) ?? new MemoryStore();
      stores.set(instance.protocol, store);
      return store.join(instance);
    },
  };
}

export class MemoryStore {
  /**
   * Ordered by last publication or reading, oldest first. `positions` does not change the order.
   */
  readonly topics = new Map<string, Topic>();
  readonly #links = new Set<MemoryLink>();
  #announcing: (() => void)[] | undefined;
  /**
   * The timer that expires topics, and the instance that runs the timer. Undefined if there are no
   * topics, or if that instance has left and no topic was used since.
   */
  #sweeping: { readonly by: BrokerInstance; readonly stop: Cancel } | undefined;

  join(instance: BrokerInstance): BrokerLink {
    const link = new MemoryLink(this, instance);
    this.#links.add(link);
    return link;
  }

  leave(link: MemoryLink): void {
    this.#links.delete(link);
    if (this.#sweeping?.by !== link.instance) return;
    this.#sweeping.stop();
    this.#sweeping = undefined;
  }

  instances(): Set<string> {
    return new Set([...this.#links].map(({ instance }) => instance.id));
  }

  /**
   * Delivers a publication to all subscribers. If a subscriber publishes during the delivery, that
   * publication is queued, so all subscribers receive both in the same order.
   */
  announce(topic: string, publication: Publication): void {
    const told = [...this.#links].filter((link) => link.subscribed.has(topic));
    const tell = (): void => {
      for (const link of told) link.announce(topic, publication);
    };
    if (this.#announcing) return void this.#announcing.push(tell);
    this.#announcing = [tell];
    try {
      for (let index = 0; index < this.#announcing.length; index++) this.#announcing[index]!();
    } finally {
      this.#announcing = undefined;
    }
  }

  publish(name: string, id: string, body: string, options: AppendOptions, instance: BrokerInstance): Appended {
    const { log, table, key, expected, document } = options;
    if (!log && !table) {
      this.announce(name, { body });
      return { outcome: "appended" };
    }
    const now = instance.environment.monotonic();
    const topic = this.touch(name, now, table?.ttlMs ?? TOPIC_MS, instance);
    topic.ttlMs = Math.max(log ? TOPIC_MS : table!.ttlMs, topic.document ? topic.ttlMs : 0);
    const first = key === undefined ? undefined : topic.keys.get(key);
    if (first && now - first.at < KEY_MS) return { outcome: "duplicate", position: first.position };
    const before = positionOf(topic);
    if (expected && (expected.offset !== before.offset || expected.id !== before.id))
      return { outcome: "conflict", position: before };
    if (document && document.expected !== (topic.document?.id ?? "")) return { outcome: "conflict", position: before };
    const previous = table && topic.table.get(table.entry.field);
    if (table && table.entry.value === undefined && previous === undefined)
      return { outcome: "unchanged", position: before };

    if (table) change(topic.table, table.entry);
    if (document) {
      topic.document = { id, text: document.text };
      topic.ttlMs = Math.max(topic.ttlMs, document.ttlMs);
    }
    topic.offset++;
    topic.id = id;
    const link = { offset: topic.offset, id, prev: before.id };
    const publication: Publication = { body, link, ...(table && { entry: table.entry }) };
    topic.publishedAt = now;
    if (log) {
      topic.logTtlMs = log.ttlMs;
      topic.log.push(publication);
      if (topic.log.length > log.size) topic.log.shift();
    }
    const position = positionOf(topic);
    if (key !== undefined) topic.keys.set(key, { position, at: now });
    this.announce(name, publication);
    return { outcome: "appended", position, ...(previous !== undefined && { previous }) };
  }

  read(name: string, { log, table, document, known, ttlMs }: ReadOptions, instance: BrokerInstance): Reading {
    const topic = this.touch(name, instance.environment.monotonic(), ttlMs, instance);
    const after = log ? topic.log.filter(({ link }) => link!.offset > log.after) : [];
    const events = after.slice(Math.max(0, after.length - (log?.most ?? 0)));
    const entries = new Map(table ? topic.table : []);
    const kept = document ? topic.document : undefined;
    const found = kept && (kept.id === known ? { isKnown: true as const } : { document: kept });
    return { position: positionOf(topic), events, entries, ...found };
  }

  /** Returns the topic without expired content. Creates a topic that is missing or expired. */
  touch(name: string, now: number, ttlMs: number, by: BrokerInstance): Topic {
    const { environment } = by;
    this.#sweeping ??= { by, stop: environment.every(SWEEP_MS, () => this.sweep(environment.monotonic())) };
    let topic = this.topics.get(name);
    this.topics.delete(name);
    if (topic && now - topic.touchedAt > topic.ttlMs) topic = undefined;
    topic ??= {
      epoch: environment.newId(),
      offset: 0,
      id: "",
      log: [],
      logTtlMs: 0,
      table: new Map(),
      document: undefined,
      keys: new Map(),
      ttlMs,
      publishedAt: now,
      touchedAt: now,
    };
    topic.touchedAt = now;
    expire(topic, now);
    this.topics.set(name, topic);
    return topic;
  }

  /**
   * Deletes expired topics, and topics beyond `MOST_IDLE`. Without a limit, clients could fill the
   * memory, because clients choose the keys of channels and so the names of topics.
   */
  sweep(now: number): void {
    // A topic with a document does not count towards the limit and is deleted only when it expires,
    // because the broker may hold the only copy of the document.
    let others = 0;
    for (const { document } of this.topics.values()) if (!document) others++;
    const most = MOST_IDLE + this.#followed;
    for (const [name, topic] of this.topics) {
      expire(topic, now);
      if (now - topic.touchedAt > topic.ttlMs || (!topic.document && others > most))
        if (![...this.#links].some(({ subscribed }) => subscribed.has(name))) {
          this.topics.delete(name);
          if (!topic.document) others--;
        }
    }
    if (this.topics.size > 0) return;
    this.#sweeping?.stop();
    this.#sweeping = undefined;
  }

  get #followed(): number {
    return [...this.#links].reduce((sum, { subscribed }) => sum + subscribed.size, 0);
  }
}

export class MemoryLink implements BrokerLink {
  readonly subscribed = new Set<string>();
  readonly #store: MemoryStore;
  #isClosed = false;

  constructor(
    store: MemoryStore,
    readonly instance: BrokerInstance,
  ) {
    this.#store = store;
  }

  get isHealthy(): boolean {
    return !this.#isClosed;
  }

  announce(topic: string, publication: Publication): void {
    if (!this.subscribed.has(topic)) return;
    try {
      this.instance.receive(topic, publication);
    } catch (error) {
      this.instance.logger.error({ topic, err: error }, "a subscriber failed to handle a publication");
    }
  }

  publish(topic: string, id: string, body: string, options: AppendOptions = {}): Promise<Appended> {
    return this.#answer(() => this.#store.publish(topic, id, body, options, this.instance));
  }

  subscribe(topic: string): Promise<void> {
    return this.#answer(() => void this.subscribed.add(topic));
  }

  unsubscribe(topic: string): void {
    this.subscribed.delete(topic);
  }

  read(topic: string, options: ReadOptions): Promise<Reading> {
    return this.#answer(() => this.#store.read(topic, options, this.instance));
  }

  positions(topics: readonly string[]): Promise<(Position | undefined)[]> {
    const now = this.instance.environment.monotonic();
    return this.#answer(() =>
      topics.map((name) => {
        const topic = this.#store.topics.get(name);
        if (!topic || now - topic.touchedAt > topic.ttlMs) return undefined;
        topic.touchedAt = now;
        return positionOf(topic);
      }),
    );
  }

  instances(): Promise<ReadonlySet<string>> {
    return this.#answer(() => this.#store.instances());
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.subscribed.clear();
    this.#store.leave(this);
    return Promise.resolve();
  }

  /** Runs the call synchronously, so no other code runs before its effect on the store. */
  #answer<Value>(ask: () => Value): Promise<Value> {
    if (this.#isClosed) return Promise.reject(new HoldfastError("UNAVAILABLE", "This instance has left the broker."));
    return Promise.resolve(ask());
  }
}

function change(table: Map<string, string>, { field, value }: TableEntry): void {
  if (value === undefined) table.delete(field);
  else table.set(field, value);
}

function expire(topic: Topic, now: number): void {
  if (topic.log.length > 0 && now - topic.publishedAt > topic.logTtlMs) topic.log = [];
  for (const [key, { at }] of topic.keys) {
    if (now - at < KEY_MS) break;
    topic.keys.delete(key);
  }
}

export function positionOf({ epoch, offset, id }: Topic): Position {
  return { epoch, offset, id };
}
