import type { Position } from "@holdfast/protocol";
import { type Logger, printable, sturdy } from "../../observe/logger.js";
import type { Appended, BrokerInstance, BrokerLink, AppendOptions, Reading, ReadOptions } from "../broker.js";
import { announcement, readAnnouncement, writeEntry } from "./announcement.js";
import { list, readAppended, readKnown, readReading } from "./answers.js";
import { Commands } from "./commands.js";
import { topicKeys } from "./keys.js";
import { Lease } from "./lease.js";
import * as scripts from "./scripts.js";
import { TopicSubscriptions } from "./subscriptions.js";
import { type Announcement, announceGroup, type Append, appendGroup } from "./topic-groups.js";
import { TopicQueues } from "./topic-queues.js";
import type { MakeTopology, Topology } from "./topology.js";
import { unavailable, wordOf } from "./unavailable.js";

/** How long an idempotency key is remembered. */
const KEY_TTL_MS = 600_000;
/**
 * How long the position of a topic with a log is stored after its last use, even if its events have
 * expired. Until then, a client that resumes learns whether it missed events.
 */
const POSITION_TTL_MS = 30 * 24 * 3_600_000;
/**
 * The most topics in one script and the most scripts in flight when many positions are requested.
 */
const TOPICS_PER_SCRIPT = 100;
const SCRIPTS_AT_ONCE = 200;
/** More events than any log holds. Redis cannot parse Infinity. */
const MOST_EVENTS = 1_000_000_000;
/** Invalid announcements are logged at most once in this time. */
const COMPLAINT_MS = 10_000;

/**
 * One instance's link to Redis. Lua scripts make each stored publication and each reading atomic.
 * The link owns the connections, the subscriptions and the lease of the instance, and reports their
 * state to the instance and to the log.
 */
export class RedisLink implements BrokerLink {
  readonly #instance: BrokerInstance;
  readonly #logger: Logger;
  readonly #prefix: string;
  readonly #topology: Topology;
  readonly #commands: Commands;
  readonly #appends: TopicQueues<Append>;
  readonly #announcements: TopicQueues<Announcement>;
  readonly #subscriptions: TopicSubscriptions;
  readonly #lease: Lease;
  /** The time at which the logged outage began. Undefined while Redis is reachable. */
  #downSince: number | undefined;
  #complainedAt = -Infinity;
  #isClosed = false;
  /** Prefix of the epochs that this link creates. The random id makes every epoch unique. */
  readonly #epochs: string;
  #epoch = 0;

  constructor(instance: BrokerInstance, prefix: string, makeTopology: MakeTopology) {
    const { environment } = instance;
    this.#instance = instance;
    this.#logger = sturdy(instance.logger);
    this.#prefix = prefix;
    this.#epochs = environment.newId();
    const place = (): void => {
      if (this.#isClosed) return;
      this.#commands.place();
      this.#subscriptions.place();
    };
    this.#topology = makeTopology(environment, place);
    const onDown = (reason: string): void => this.#noteDown(reason);
    this.#commands = new Commands(environment, this.#topology, {
      onUp: () => {
        this.#noteUp();
        void this.#lease?.beat();
      },
      onDown,
      onOther: () => {
        this.#lease?.storeIsOther();
        this.#tell(() => instance.onDoubt());
      },
    });
    this.#appends = new TopicQueues(this.#commands, appendGroup(this.#commands));
    this.#announcements = new TopicQueues(this.#commands, announceGroup(this.#commands));
    const parts = { topology: this.#topology, commands: this.#commands, prefix };
    this.#subscriptions = new TopicSubscriptions(environment, parts, {
      hear: (topic, bytes) => this.#hear(topic, bytes),
      onUp: () => this.#noteUp(),
      onDown,
      onDoubt: () => this.#tell(() => instance.onDoubt()),
    });
    this.#lease = new Lease(instance.id, environment, this.#commands, prefix, {
      onGone: (instances) => this.#tell(() => instance.onGone(instances)),
      onForgotten: () => this.#tell(() => instance.onForgotten()),
      onClockJump: (ms) => {
        this.#logger.warn(
          { ms },
          "the clock of Redis jumped forwards and may have expired keys, storing table entries again",
        );
        this.#tell(() => instance.onForgotten());
        this.#tell(() => instance.onDoubt());
      },
      onRefused: ({ message: reason, cause }) =>
        this.#logger.warn(
          { code: wordOf(cause), reason: printable(reason) },
          "Redis refused to renew the lease of this instance",
        ),
    });
  }

  get isHealthy(): boolean {
    return !this.#isClosed && this.#commands.isUp && this.#subscriptions.isUp && this.#lease.isFresh;
  }

  async publish(topic: string, id: string, body: string, options: AppendOptions = {}): Promise<Appended> {
    this.#checkOpen();
    const keys = topicKeys(this.#prefix, topic);
    const { log, table, key, expected, document } = options;
    if (!log && !table) {
      const text = announcement(id, body);
      await this.#announcements.add(topic, keys.slot, { channel: keys.channel, text }, text.length);
      return { outcome: "appended" };
    }
    const entry = table?.entry;
    const change = !entry ? "" : entry.value === undefined ? "del" : "set";
    const args = [
      id,
      body,
      entry ? writeEntry(entry) : "",
      this.#newEpoch(),
      log?.size ?? 0,
      whole(log?.ttlMs ?? 0),
      change,
      entry?.field ?? "",
      entry?.value ?? "",
      whole(table?.ttlMs ?? 0),
      key === undefined ? "" : "1",
      expected?.offset ?? "",
      expected?.id ?? "",
      keys.channel,
      this.#topology.isCluster ? "SPUBLISH" : "PUBLISH",
      Math.max(log ? POSITION_TTL_MS : 0, ...[log, table].map((part) => whole(part?.ttlMs ?? 0))),
      KEY_TTL_MS,
      document ? "1" : "",
      document?.text ?? "",
      document?.expected ?? "",
      whole(document?.ttlMs ?? 0),
    ];
    const bytes = body.length + (entry?.value?.length ?? 0) + (document?.text.length ?? 0);
    const call = { keys, key: key === undefined ? keys.meta : keys.key(key), args };
    return readAppended(await this.#appends.add(topic, keys.slot, call, bytes));
  }

  async subscribe(topic: string): Promise<void> {
    this.#checkOpen();
    await this.#subscriptions.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    if (!this.#isClosed) this.#subscriptions.unsubscribe(topic);
  }

  async read(topic: string, { log, table, document, known, ttlMs }: ReadOptions): Promise<Reading> {
    this.#checkOpen();
    const keys = topicKeys(this.#prefix, topic);
    const answer = await this.#commands.run(
      keys.slot,
      scripts.read,
      [keys.meta, keys.log, keys.table],
      [
        this.#newEpoch(),
        whole(ttlMs),
        log && log.most > 0 ? log.after + 1 : "",
        Math.min(log?.most ?? 0, MOST_EVENTS),
        table ? "1" : "",
        document ? "1" : "",
        known ?? "",
      ],
    );
    return readReading(answer);
  }

  async positions(topics: readonly string[]): Promise<(Position | undefined)[]> {
    this.#checkOpen();
    const found = new Array<Position | undefined>(topics.length);
    const batches = this.#batches(topics);
    for (let at = 0; at < batches.length; at += SCRIPTS_AT_ONCE) {
      const group = batches.slice(at, at + SCRIPTS_AT_ONCE).map(async ({ slot, indexes, keys }) => {
        const answers = list(await this.#commands.run(slot, scripts.positions, keys, []));
        for (const [nth, index] of indexes.entries()) found[index] = readKnown(answers[nth]);
      });
      await Promise.all(group);
    }
    return found;
  }

  async instances(): Promise<ReadonlySet<string>> {
    this.#checkOpen();
    return this.#lease.instances();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#subscriptions.close();
    await this.#lease.close();
    this.#commands.close();
    this.#topology.close();
  }

  /** Groups topics into scripts. In a cluster, all keys of one script must belong to one slot. */
  #batches(topics: readonly string[]): { slot: number; indexes: number[]; keys: string[] }[] {
    const batches: { slot: number; indexes: number[]; keys: string[] }[] = [];
    const open = new Map<number, { slot: number; indexes: number[]; keys: string[] }>();
    for (const [index, topic] of topics.entries()) {
      const { slot, meta, table } = topicKeys(this.#prefix, topic);
      const group = this.#topology.isCluster ? slot : 0;
      let batch = open.get(group);
      if (!batch || batch.indexes.length === TOPICS_PER_SCRIPT) {
        batch = { slot, indexes: [], keys: [] };
        batches.push(batch);
        open.set(group, batch);
      }
      batch.indexes.push(index);
      batch.keys.push(meta, table);
    }
    return batches;
  }

  #newEpoch(): string {
    return `${this.#epochs}.${(this.#epoch++).toString(36)}`;
  }

  #hear(topic: string, bytes: Buffer): void {
    const publication = readAnnouncement(bytes);
    if (publication) return this.#tell(() => this.#instance.receive(topic, publication));
    const now = this.#instance.environment.monotonic();
    if (now - this.#complainedAt < COMPLAINT_MS) return;
    this.#complainedAt = now;
    this.#logger.warn(
      { topic: printable(topic), bytes: bytes.length },
      "an invalid announcement was ignored; another program publishes on the channels of the broker",
    );
  }

  /**
   * Calls the instance and logs its errors. Otherwise the errors would be thrown into the socket
   * that is being read.
   */
  #tell(call: () => void): void {
    if (this.#isClosed) return;
    try {
      call();
    } catch (error) {
      this.#logger.error({ err: error }, "the server failed to handle a message of the broker");
    }
  }

  #noteDown(reason: string): void {
    if (this.#isClosed || this.#downSince !== undefined) return;
    this.#downSince = this.#instance.environment.monotonic();
    this.#logger.warn({ reason: printable(reason) }, "Redis became unreachable, retrying");
  }

  #noteUp(): void {
    if (this.#isClosed || this.#downSince === undefined || !this.#commands.isUp || !this.#subscriptions.isUp) return;
    const downMs = this.#instance.environment.monotonic() - this.#downSince;
    this.#downSince = undefined;
    this.#logger.info({ downMs }, "Redis became reachable again");
  }

  #checkOpen(): void {
    if (this.#isClosed) throw unavailable("This instance has left the broker.");
  }
}

/** Redis accepts only whole milliseconds. */
function whole(ms: number): number {
  return Math.max(0, Math.ceil(ms));
}
