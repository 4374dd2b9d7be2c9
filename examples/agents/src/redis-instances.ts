import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import type { Fleet } from "./fleet.js";
import type { Instances, Stopping } from "./instances.js";
import type { Agent, Line } from "./protocol.js";

/**
 * One instance's part of the state that the instances share in Redis. Each instance writes only its
 * own part, before each published change and every second. A part is valid as long as its lease
 * exists. The lease is a key that expires, so the clock of Redis decides. Without a lease, the
 * running agents of the part count as lost: the warden of the instance has killed the processes, or
 * the machine is gone.
 */
interface Part {
  readonly name: string;
  readonly maximum: number;
  readonly agents: readonly Agent[];
  readonly savedAt: Date;
  /**
   * The number of the current lease. If an outage lasts longer than a lease, the instance begins a
   * new lease with the next number.
   */
  readonly lease: number;
}

/**
 * Receives changes of other instances. Every instance that notices a change publishes the change.
 * All of them use the same idempotency key, so the change is delivered once.
 */
export interface RedisInstancesListener {
  lost(agent: Agent, key: string): void;
  /** The agent kept running, although the other instances reported it as lost. */
  found(agent: Agent, key: string): void;
  removed(agentId: string, key: string): void;
  capacityChanged(maximum: number, key: string): void;
}

export interface RedisInstancesOptions {
  url: string;
  /** The name of this instance on the page. */
  name: string;
  fleet: Fleet;
  listener: RedisInstancesListener;
}

const PARTS = "agents-example:parts";
const leaseOf = (id: string): string => `agents-example:lease:${id}`;
const logOf = (agentId: string): string => `agents-example:log:${agentId}`;
const stopsOf = (id: string): string => `agents-example:stop:${id}`;

const BEAT_MS = 1_000;
/** The lease is renewed every second, so three renewals may be lost. */
const LEASE_MS = 4_000;
/** How long the agents of a lost instance stay visible, and of how many lost instances. */
const KEEP_GONE_MS = 600_000;
const KEEP_GONE = 3;
/**
 * As many lines as a page shows. The instance deletes the lines together with the agent. If the
 * instance is gone, the lines expire.
 */
const KEEP_LINES = 200;
const KEEP_LOG_MS = 86_400_000;

export class RedisInstances implements Instances {
  readonly name: string;
  readonly #id = randomUUID();
  readonly #fleet: Fleet;
  readonly #listener: RedisInstancesListener;
  readonly #redis: Redis;
  readonly #ears: Redis;
  readonly #timer: NodeJS.Timeout;
  /** The parts as last read, which answer requests while Redis is unreachable. */
  #parts = new Map<string, Part>();
  #leased = new Set<string>([this.#id]);
  /** The leases whose end was reported, as `id:lease`, with the time by the monotonic clock. */
  readonly #told = new Map<string, number>();
  #lease = 0;
  /**
   * Before this time no instance is reported as lost, because after an outage of Redis all
   * instances need a moment to renew their leases.
   */
  #patientUntil = 0;
  #isBeating = false;
  #isClosed = false;

  constructor({ url, name, fleet, listener }: RedisInstancesOptions) {
    this.name = name;
    this.#fleet = fleet;
    this.#listener = listener;
    // Commands fail at once while Redis is unreachable, because an answer from memory is better
    // than a late answer.
    this.#redis = new Redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 1_000 });
    this.#ears = new Redis(url, { maxRetriesPerRequest: null });
    // The server's broker logs when Redis is unreachable. Both connections reconnect by themselves.
    for (const redis of [this.#redis, this.#ears]) redis.on("error", () => {});
    this.#ears.subscribe(stopsOf(this.#id)).catch(() => {});
    this.#ears.on("message", (_channel, agentId) => void fleet.stop(agentId));
    this.#redis.once("ready", () => void this.#beat());
    this.#timer = setInterval(() => void this.#beat(), BEAT_MS);
  }

  async list(): Promise<{ agents: Agent[]; maximum: number }> {
    await this.#read();
    const agents = [...this.#parts].flatMap(([id, part]) => (id === this.#id ? [] : this.#agentsOf(id, part)));
    agents.push(...this.#fleet.list());
    agents.sort((one, other) => one.startedAt.getTime() - other.startedAt.getTime());
    return { agents, maximum: this.#maximum };
  }

  async log(agentId: string): Promise<readonly Line[] | undefined> {
    const own = this.#fleet.log(agentId);
    if (own) return own;
    const kept = await this.#redis.zrange(logOf(agentId), "0", "-1").catch(() => []);
    if (kept.length === 0 && !(await this.#find(agentId))) return undefined;
    return kept.flatMap((text) => (parse(text) as Line | undefined) ?? []);
  }

  async stop(agentId: string): Promise<Stopping | undefined> {
    const own = this.#fleet.stop(agentId);
    if (own) return { agent: own, isAway: false };
    const found = await this.#find(agentId);
    if (!found || found.agent.exit) return found && { agent: found.agent, isAway: false };
    // The instance that stops the agent publishes the outcome as events. A count of 0 means that no
    // instance received the command.
    const heard = await this.#redis.publish(stopsOf(found.id), agentId).catch(() => 0);
    return { agent: found.agent, isAway: heard === 0 };
  }

  async save(): Promise<void> {
    if (this.#isClosed) return;
    const { name, maximum } = { name: this.name, maximum: this.#fleet.maximum };
    const part: Part = { name, maximum, agents: this.#fleet.list(), savedAt: new Date(), lease: this.#lease };
    // A part that cannot be stored now is stored at the next renewal.
    const answers = await this.#redis
      .multi()
      .hset(PARTS, this.#id, JSON.stringify(part))
      .set(leaseOf(this.#id), String(this.#lease), "PX", LEASE_MS, "GET")
      .exec()
      .catch(() => null);
    if (answers?.[1]?.[1] === null) await this.#begin();
  }

  async keepLine(agentId: string, line: Line): Promise<void> {
    const key = logOf(agentId);
    // The set is sorted by the number of the line, so a line that is stored twice exists once.
    await this.#redis
      .multi()
      .zadd(key, String(line.number), JSON.stringify(line))
      .zremrangebyrank(key, 0, -KEEP_LINES - 1)
      .pexpire(key, KEEP_LOG_MS)
      .exec()
      .catch(() => null);
  }

  async forgetLines(agentId: string): Promise<void> {
    await this.#redis.del(logOf(agentId)).catch(() => 0);
  }

  async close(): Promise<void> {
    await this.save();
    this.#isClosed = true;
    clearInterval(this.#timer);
    // The part stays for a while, so that the other instances still show how the agents of the part
    // ended.
    await this.#redis.del(leaseOf(this.#id)).catch(() => 0);
    for (const redis of [this.#redis, this.#ears]) redis.disconnect();
  }

  get #maximum(): number {
    const others = [...this.#parts].filter(([id]) => id !== this.#id && this.#leased.has(id));
    return others.reduce((sum, [, part]) => sum + part.maximum, this.#fleet.maximum);
  }

  /** Begins a lease: the first lease, or a new lease after the previous lease has expired. */
  async #begin(): Promise<void> {
    const lease = ++this.#lease;
    this.#patientUntil = performance.now() + LEASE_MS;
    await this.save();
    await this.#read();
    this.#listener.capacityChanged(this.#maximum, `come:${this.#id}:${lease}`);
    if (lease === 1) return;
    for (const agent of this.#fleet.list()) this.#listener.found(agent, `found:${agent.id}:${lease}`);
  }

  async #beat(): Promise<void> {
    if (this.#isBeating || this.#isClosed) return;
    this.#isBeating = true;
    await this.save();
    if ((await this.#read()) && performance.now() > this.#patientUntil) this.#mourn();
    this.#isBeating = false;
  }

  /** Reads all parts and leases. Resolves to false if Redis cannot be reached. */
  async #read(): Promise<boolean> {
    try {
      const texts = Object.entries(await this.#redis.hgetall(PARTS));
      const leases = texts.length > 0 ? await this.#redis.mget(texts.map(([id]) => leaseOf(id))) : [];
      const parts = texts.flatMap(([id, text]) => {
        const part = parse(text) as Part | undefined;
        return part ? [[id, part] as const] : [];
      });
      this.#parts = new Map(parts);
      this.#leased = new Set(texts.filter((_, index) => leases[index] !== null).map(([id]) => id));
      return true;
    } catch {
      return false;
    }
  }

  /** Reports lost instances, and forgets them after a while. */
  #mourn(): void {
    const gone = [...this.#parts].filter(([id]) => id !== this.#id && !this.#leased.has(id));
    gone.sort(([, one], [, other]) => other.savedAt.getTime() - one.savedAt.getTime());
    const keys = new Set(gone.map(([id, part]) => `${id}:${part.lease}`));
    for (const key of this.#told.keys()) if (!keys.has(key)) this.#told.delete(key);
    for (const [index, [id, part]] of gone.entries()) {
      const key = `${id}:${part.lease}`;
      if (!this.#told.has(key)) {
        this.#told.set(key, performance.now());
        for (const agent of this.#agentsOf(id, part))
          if (agent.status === "lost") this.#listener.lost(agent, `lost:${key}:${agent.id}`);
        this.#listener.capacityChanged(this.#maximum, `gone:${key}`);
      }
      if (index < KEEP_GONE && performance.now() - this.#told.get(key)! < KEEP_GONE_MS) continue;
      for (const agent of part.agents) this.#listener.removed(agent.id, `removed:${agent.id}`);
      this.#redis.hdel(PARTS, id).catch(() => 0);
    }
  }

  #agentsOf(id: string, part: Part): Agent[] {
    if (this.#leased.has(id)) return [...part.agents];
    return part.agents.map((agent): Agent => {
      if (agent.exit) return agent;
      return { ...agent, status: "lost", exit: { code: null, signal: null, at: part.savedAt } };
    });
  }

  async #find(agentId: string): Promise<{ id: string; agent: Agent } | undefined> {
    await this.#read();
    for (const [id, part] of this.#parts) {
      const agent = this.#agentsOf(id, part).find((one) => one.id === agentId);
      if (agent) return { id, agent };
    }
    return undefined;
  }
}

/**
 * Returns undefined if the text is not JSON, because another version of this file may have written
 * the text.
 */
function parse(text: string): unknown {
  try {
    return JSON.parse(text, (key, value: unknown) =>
      ["at", "startedAt", "savedAt"].includes(key) ? new Date(value as string) : value,
    );
  } catch {
    return undefined;
  }
}
