import type { Cluster, Redis, RedisOptions } from "ioredis";
import type { ServerEnvironment } from "../../environment.js";
import { BrokerSentinelConnector, endNow } from "./ending.js";

/**
 * Which nodes there are, and which of them has a slot. A Redis that is no cluster is one node with
 * all of them.
 */
export interface Topology {
  readonly isCluster: boolean;
  /** Undefined while that is not known. */
  nodeOf(slot: number): string | undefined;
  /** Those that own slots. */
  nodes(): ReadonlySet<string>;
  /** A client for a connection to it that is made once: see `once`. */
  open(node: string): Redis | undefined;
  /** Something answered from elsewhere than expected, or not at all: it is to be asked for anew. */
  refresh(): void;
  close(): void;
}

/** `onChange` is called when nodes or their slots may have changed. */
export type MakeTopology = (environment: ServerEnvironment, onChange: () => void) => Topology;

/** What makes a client of the library one connection, and nothing that goes on behind our back. */
const once = {
  lazyConnect: true,
  retryStrategy: () => null,
  reconnectOnError: null,
  enableOfflineQueue: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  enableAutoPipelining: false,
  maxRetriesPerRequest: 0,
  // While Redis loads its data, the first command says so; the library would keep a timer of its
  // own.
  enableReadyCheck: false,
  connectTimeout: 1_500,
  // The library waits for so long, with a timer, until it destroys a socket that it has ended; also
  // one that is closed already.
  disconnectTimeout: 0,
  // Half of the CPU for each announcement received, beside the third version of Redis's protocol.
  protocol: 2,
  replyMapping: "legacy",
  stringNumbers: false,
  keyPrefix: "",
  readOnly: false,
} satisfies RedisOptions;

const SINGLE = "redis";

/** How often the map of a cluster is read again. */
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
 * Of a cluster only the map is left to the library: who owns a slot, at which address. Commands and
 * subscriptions are our own.
 */
export function clusterTopology(template: Cluster, environment: ServerEnvironment, onChange: () => void): Topology {
  const cluster = template.duplicate([], {
    lazyConnect: true,
    enableOfflineQueue: false,
    shardedSubscribers: false,
    keyPrefix: "",
    clusterRetryStrategy: (attempt: number) => Math.min(1_000, 50 * 2 ** Math.min(attempt, 10)),
    // Its own timer goes on after `disconnect` when a reading was under way.
    slotsRefreshInterval: 0,
    slotsRefreshTimeout: 1_000,
    redisOptions: { ...template.options.redisOptions, replyMapping: "legacy", keyPrefix: "", disconnectTimeout: 0 },
  });
  const copies = new Set<Redis>();
  // The library reads the map through copies of its nodes, which `disconnect` leaves alone.
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
