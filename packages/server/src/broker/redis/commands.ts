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
   * A node may hold other data than before, because of a restart, or other nodes own its slots,
   * because of a failover.
   */
  onOther(): void;
}

/** How long calls wait for the map of the cluster when the link is new. */
const FIRST_PATIENCE_MS = 800;
/** Delay before a redirected call is tried again. */
const PAUSE_MS = 50;

/** The connection on which a call was sent, and the client of that connection at the time. */
export interface Used {
  readonly connection: NodeConnection;
  readonly client: Redis;
}

/**
 * Sends each command to the node that owns its slot, follows the redirections of a cluster, and
 * limits the time of each call. The promises of `run` and `announce` settle within a second.
 */
export class Commands {
  readonly deadlines: Deadlines;
  readonly #environment: ServerEnvironment;
  readonly #topology: Topology;
  readonly #hooks: CommandHooks;
  readonly #startedAt: number;
  readonly #connections = new Map<string, NodeConnection>();
  /** The replication id of each node. A restart or a failover changes the id. */
  readonly #replications = new Map<string, string>();
  #nodes: ReadonlySet<string> = new Set();
  /** The hashes of the scripts that Redis is known to have, by connection. */
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

  /** Runs a script. Calls are not ordered; `TopicQueues` orders them. */
  run(slot: number, script: LuaScript, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.#within(slot, (client) => this.evaluate(client, script, keys, args));
  }

  /**
   * Runs a script on a connection. If the script was used on this connection before, its hash is
   * sent, otherwise its text. If Redis has forgotten the script (SCRIPT FLUSH), the text is sent
   * again.
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

  /** Announces a publication that Redis does not store. */
  announce(slot: number, channel: string, text: string): Promise<unknown> {
    return this.#within(slot, (client) => this.say(client, channel, text));
  }

  /** Announces on a given connection, without redirection and time limit. */
  say(client: Redis, channel: string, text: string): Promise<unknown> {
    return this.#topology.isCluster ? client.spublish(channel, text) : client.publish(channel, text);
  }

  /**
   * Sends a call again after each redirection, until Redis answers or refuses the call. `isOver`
   * tells whether the call has timed out.
   */
  async attempt<Answer>(slot: number, isOver: () => boolean, send: (used: Used) => Promise<Answer>): Promise<Answer> {
    for (let asked: string | undefined; ;) {
      const node: string = asked ?? (await this.nodeOf(slot));
      const connection = this.#connectionTo(node);
      const client = connection.client ?? (await connection.whenUp());
      if (isOver()) throw unavailable("The call to Redis took too long.");
      try {
        // ASKING applies to the next command on the connection. The reply is not awaited, so that
        // no other command comes between the two.
        if (asked !== undefined) client.asking().catch(() => {});
        return await send({ connection, client });
      } catch (error) {
        asked = await this.#consider(error, connection, client, isOver);
      }
    }
  }

  /**
   * Drops the connection of a call that was not answered in time, so that later calls do not wait
   * behind it. Returns the error for the caller.
   */
  tooLate(used: Used | undefined): Error {
    used?.connection.drop("Redis does not answer", used.client);
    return unavailable(`Redis did not answer in time. ${MAYBE}`, "Check that Redis is running, and try again.");
  }

  /**
   * Returns the node that owns a slot. If the map of the cluster is not known yet, waits only while
   * the link is new.
   */
  async nodeOf(slot: number): Promise<string> {
    for (;;) {
      const node = this.#topology.nodeOf(slot);
      if (node !== undefined) return node;
      if (this.#isClosed || this.#environment.monotonic() - this.#startedAt > FIRST_PATIENCE_MS)
        throw unavailable(
          "No node of the Redis cluster has answered with the map of slots.",
          "Check that the cluster is running, and try again.",
        );
      await this.pause();
    }
  }

  /** Waits for `PAUSE_MS`, or until `close` is called. */
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

  /**
   * Called when the cluster may have other nodes than before. Closes the connections to nodes that
   * have left.
   */
  place(): void {
    const nodes = this.#topology.nodes();
    // An empty map is useless. The existing connections may still work.
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
   * Decides what to do after an error. If another attempt may succeed, returns the node to ask, or
   * undefined for the owner of the slot. Throws all other errors.
   */
  async #consider(
    error: unknown,
    connection: NodeConnection,
    client: Redis,
    isOver: () => boolean,
  ): Promise<string | undefined> {
    const word = wordOf(error);
    // The next connection to the same address may reach the primary: Sentinel, proxies and DNS fail
    // over this way.
    if (word === "READONLY" || word === "LOADING" || word === "MASTERDOWN") {
      connection.drop(`Redis answers ${word}`, client);
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
        // INFO succeeds even while Redis loads its data. PING does not.
        const [replication] = await Promise.all([client.info("replication").catch(ifNotPermitted), client.ping()]);
        if (/^role:slave/m.test(replication)) throw new Error("Redis is a replica");
        replicationId = /^master_replid:(\w+)/m.exec(replication)?.[1] ?? "";
      },
      onUp: () => {
        const before = this.#replications.get(node);
        this.#replications.set(node, replicationId);
        // If the user may not call INFO, the id is empty, and each reconnection counts as a
        // restart.
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
