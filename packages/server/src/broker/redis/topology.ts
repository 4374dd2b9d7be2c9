import type { Cluster, Redis, RedisOptions } from "ioredis";
import type { ServerEnvironment } from "../../environment.js";
import { BrokerSentinelConnector, endNow } from "./ending.js";

/**
 * The nodes of Redis and the slots that each of them owns. A Redis without a cluster is a single
 * node that owns all slots.
 */
export interface Topology {
  readonly isCluster: boolean;
  /** The node that owns a slot. Undefined while the map is not known. */
  nodeOf(slot: number): string | undefined;
  /** The nodes that own slots. */
  nodes(): ReadonlySet<string>;
  /** Creates a client that connects to the node once and never reconnects (see `once`). */
  open(node: string): Redis | undefined;
  /**
   * Reads the map of the cluster again, because a node did not answer or does not own the expected
   * slot.
   */
  refresh(): void;
  close(): void;
}

/** Creates a topology. `onChange` is called when nodes or their slots may have changed. */
export type MakeTopology = (environment: ServerEnvironment, onChange: () => void) => Topology;

/**
 * Options that turn an ioredis client into a single connection: no retries, no queue, no
 * resubscription. `NodeConnection` does all of that itself.
 */
const once = {
  lazyConnect: true,
  retryStrategy: () => null,
  reconnectOnError: null,
  enableOfflineQueue: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  enableAutoPipelining: false,
  maxRetriesPerRequest: 0,
  // While Redis loads its data, the first command fails with LOADING. ioredis would instead poll
  // with a timer of its own.
  enableReadyCheck: false,
  connectTimeout: 1_500,
  // After `disconnect`, ioredis would keep a timer for this long before the socket is destroyed,
  // even if the socket is already closed.
  disconnectTimeout: 0,
  // RESP2 takes half the CPU of RESP3 for each announcement.
  protocol: 2,
  replyMapping: "legacy",
  stringNumbers: false,
  keyPrefix: "",
  readOnly: false,
} satisfies RedisOptions;

const SINGLE = "redis";

/** How often the map of the cluster is read again. */
const MAP_MS = 5_000;

export function singleTopology(template: Redis): Topology {
  const { sentinels, Connector } = template.options;
  const options: RedisOptions = {
    ...once,
    sentinelRetryStrategy: () => null,
    ...(sentinels && !Connector && { Connector: BrokerSentinelConnector }),
  };
  return {
    isCluster: false,
    nodeOf: () => SINGLE,
    nodes: () => new Set([SINGLE]),
    open: () => template.duplicate(options),
    refresh() {},
    close() {},
  };
}

/**
 * ioredis's `Cluster` only reads the map: which node owns a slot, at which address. The broker
 * makes its own connections for commands and subscriptions.
 */
export function clusterTopology(template: Cluster, environment: ServerEnvironment, onChange: () => void): Topology {
  const cluster = template.duplicate([], {
    lazyConnect: true,
    enableOfflineQueue: false,
    shardedSubscribers: false,
    keyPrefix: "",
    clusterRetryStrategy: (attempt: number) => Math.min(1_000, 50 * 2 ** Math.min(attempt, 10)),
    // ioredis's own timer would survive `disconnect` if the map was being read.
    slotsRefreshInterval: 0,
    slotsRefreshTimeout: 1_000,
    redisOptions: { ...template.options.redisOptions, replyMapping: "legacy", keyPrefix: "", disconnectTimeout: 0 },
  });
  const copies = new Set<Redis>();
  // ioredis reads the map with copies of its clients, and `disconnect` does not close the copies.
  cluster.on("+node", (node: Redis) => {
    const duplicate = node.duplicate.bind(node);
    node.duplicate = (override) => {
      const copy = duplicate(override);
      copies.add(copy);
      copy.once("end", () => copies.delete(copy));
      return copy;
    };
  });
  cluster.on("error", () => {});
  cluster.on("refresh", onChange);
  cluster.connect().catch(() => {});
  let isRefreshing = false;
  const refresh = (): void => {
    if (isRefreshing || cluster.status !== "ready") return;
    isRefreshing = true;
    cluster.refreshSlotsCache(() => (isRefreshing = false));
  };
  const stopRefreshing = environment.every(MAP_MS, refresh);
  return {
    isCluster: true,
    nodeOf: (slot) => cluster.slots[slot]?.[0],
    nodes: () => new Set(cluster.slots.flatMap((owners) => owners[0] ?? [])),
    open(node) {
      const known = cluster.nodes("all").find(({ options }) => `${options.host}:${options.port}` === node);
      return known?.duplicate(once);
    },
    refresh,
    close() {
      stopRefreshing();
      cluster.removeAllListeners("refresh");
      cluster.disconnect();
      for (const copy of copies) endNow(copy);
    },
  };
}
