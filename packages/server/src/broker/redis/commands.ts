import type { Cancel } from "@holdfast/protocol";
import type { Redis } from "ioredis";
import type { ServerEnvironment } from "../../environment.js";
import { NodeConnection } from "./connection.js";
import { Deadlines } from "./deadline.js";
import type { LuaScript } from "./scripts.js";
import type { Topology } from "./topology.js";
import { MAYBE, refusal, unavailable, wordOf } from "./unavailable.js";

export interface CommandHooks {
  onUp(): void;
  onDown(reason: string): void;
  /**
   * A node has other data than before, or others have its slots: it was restarted, or another has
   * taken over.
   */
  onOther(): void;
}

/** How long calls wait to hear where nodes are when the link is new. */
const FIRST_PATIENCE_MS = 800;
const PAUSE_MS = 50;

/** The connection that a call was sent on, and its client of that moment. */
export interface Used {
  readonly connection: NodeConnection;
  readonly client: Redis;
}

/** Commands, each to the node that has its slot, each with an end in sight. */
export class Commands {
  readonly deadlines: Deadlines;
  readonly #environment: ServerEnvironment;
  readonly #topology: Topology;
  readonly #hooks: CommandHooks;
  readonly #startedAt: number;
  readonly #connections = new Map<string, NodeConnection>();
  /** Names the data of a node: another after a restart or a failover. */
  readonly #replications = new Map<string, string>();
  #nodes: ReadonlySet<string> = new Set();
  /** The scripts that Redis has, by their hashes, as far as it has said so on a connection. */
  readonly #loaded = new WeakMap<Redis, Set<string>>();
  readonly #pauses = new Set<() => void>();
  #isClosed = false;

  constructor(environment: ServerEnvironment, topology: Topology, hooks: CommandHooks) {
    this.#environment = environment;
    this.#topology = topology;
    this.#hooks = hooks;
    this.#startedAt = environment.monotonic();
    this.deadlines = new Deadlines(environment);
  }

  get isUp(): boolean {
    return this.#connections.size > 0 && [...this.#connections.values()].every(({ client }) => client);
  }

  /** Runs a script. Calls are not ordered among each other: see `TopicQueues`. */
  run(slot: number, script: LuaScript, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.#within(slot, (client) => this.evaluate(client, script, keys, args));
  }

  /**
   * Runs a script on a connection: by its hash if Redis is known to have it since the connection
   * was made, otherwise by its text. Redis may have forgotten it all the same (SCRIPT FLUSH); then
   * the text is sent.
   */
  async evaluate(
    client: Redis,
    { sha, text }: LuaScript,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    const loaded = this.#loaded.get(client) ?? new Set();
    this.#loaded.set(client, loaded);
    if (loaded.has(sha)) {
      try {
        return await client.evalsha(sha, keys.length, ...keys, ...args);
      } catch (error) {
        if (wordOf(error) !== "NOSCRIPT") throw error;
        loaded.delete(sha);
      }
    }
    const answer = await client.eval(text, keys.length, ...keys, ...args);
    loaded.add(sha);
    return answer;
  }

  /** Announces something that is not kept. */
  announce(slot: number, channel: string, text: string): Promise<unknown> {
    return this.#within(slot, (client) => this.say(client, channel, text));
  }

  say(client: Redis, channel: string, text: string): Promise<unknown> {
    return this.#topology.isCluster ? client.spublish(channel, text) : client.publish(channel, text);
  }

  /** Sends until it is answered, or refused for good. `isOver`: nobody waits for it any more. */
  async attempt<Answer>(slot: number, isOver: () => boolean, send: (used: Used) => Promise<Answer>): Promise<Answer> {
    for (let asked: string | undefined; ;) {
      const node: string = asked ?? (await this.nodeOf(slot));
      const connection = this.#connectionTo(node);
      const client = connection.client ?? (await connection.whenUp());
      if (isOver()) throw unavailable("It took too long.");
      try {
        // Not awaited: the two leave one behind the other, and what is asked about is the second.
        if (asked !== undefined) client.asking().catch(() => {});
        return await send({ connection, client });
      } catch (error) {
        asked = await this.#consider(error, connection, client, isOver);
      }
    }
  }

  /**
   * What a call is refused with that was not answered in time. Later calls must not wait behind it.
   */
  tooLate(used: Used | undefined): Error {
    used?.connection.drop("It does not answer", used.client);
    return unavailable(`Redis did not answer in time. ${MAYBE}`, "Try again later.");
  }

  /** The node of a slot. Waits for that to be known only when the link is new. */
  async nodeOf(slot: number): Promise<string> {
    for (;;) {
      const node = this.#topology.nodeOf(slot);
      if (node !== undefined) return node;
      if (this.#isClosed || this.#environment.monotonic() - this.#startedAt > FIRST_PATIENCE_MS)
        throw unavailable("No node of the Redis cluster could be asked who has which slots.", "Try again later.");
      await this.pause();
    }
  }

  /** Short; ends at once when everything is closed. */
  pause(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isClosed) return resolve();
      const end = (): void => {
        cancel();
        this.#pauses.delete(end);
        resolve();
      };
      const cancel: Cancel = this.#environment.after(PAUSE_MS, end);
      this.#pauses.add(end);
    });
  }

  /** The cluster may have other nodes now. */
  place(): void {
    const nodes = this.#topology.nodes();
    // A map without nodes is none: what is connected is better than nothing.
    if (nodes.size === 0) return;
    const before = this.#nodes;
    this.#nodes = nodes;
    const isSame = nodes.size === before.size && [...nodes].every((node) => before.has(node));
    if (before.size > 0 && !isSame) this.#hooks.onOther();
    for (const [node, connection] of this.#connections) {
      if (nodes.has(node)) continue;
      this.#connections.delete(node);
      connection.close();
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const connection of this.#connections.values()) connection.close();
    for (const end of this.#pauses) end();
    this.deadlines.close();
  }

  #within<Answer>(slot: number, send: (client: Redis) => Promise<Answer>): Promise<Answer> {
    let used: Used | undefined;
    const start = (isOver: () => boolean): Promise<Answer> =>
      this.attempt(slot, isOver, (now) => {
        used = now;
        return send(now.client);
      });
    return this.deadlines.within(start, () => this.tooLate(used));
  }

  /**
   * After an error that another attempt may cure, the node to ask if it is a particular one. Others
   * are thrown.
   */
  async #consider(
    error: unknown,
    connection: NodeConnection,
    client: Redis,
    isOver: () => boolean,
  ): Promise<string | undefined> {
    const word = wordOf(error);
    // Behind the same address there may be the primary next time: that is how Sentinel, proxies and
    // DNS fail over.
    if (word === "READONLY" || word === "LOADING" || word === "MASTERDOWN") {
      connection.drop(`It answers ${word}`, client);
      this.#topology.refresh();
    }
    const isRedirection = word === "MOVED" || word === "ASK" || word === "TRYAGAIN" || word === "CLUSTERDOWN";
    if (!this.#topology.isCluster || !isRedirection || isOver()) throw refusal(error);
    if (word === "ASK") return (error as Error).message.split(" ")[2];
    this.#topology.refresh();
    await this.pause();
    return undefined;
  }

  #connectionTo(node: string): NodeConnection {
    const known = this.#connections.get(node);
    if (known) return known;
    let replicationId = "";
    const connection = new NodeConnection(this.#environment, {
      open: () => this.#topology.open(node),
      prepare: async (client) => {
        // INFO also answers while data are being loaded, PING does not.
        const [replication] = await Promise.all([client.info("replication").catch(ifNotPermitted), client.ping()]);
        if (/^role:slave/m.test(replication)) throw new Error("It is a replica");
        replicationId = /^master_replid:(\w+)/m.exec(replication)?.[1] ?? "";
      },
      onUp: () => {
        const before = this.#replications.get(node);
        this.#replications.set(node, replicationId);
        // Who may not ask has to assume it.
        if (before !== undefined && (before !== replicationId || before === "")) this.#hooks.onOther();
        this.#hooks.onUp();
      },
      onDown: (reason) => {
        this.#topology.refresh();
        this.#hooks.onDown(reason);
      },
    });
    this.#connections.set(node, connection);
    if (!this.#isClosed) connection.start();
    return connection;
  }
}

function ifNotPermitted(error: unknown): string {
  if (wordOf(error) === "NOPERM") return "";
  throw error;
}
