import { until } from "./until.js";
import { freePort, type RedisServer, startRedis } from "./redis-server.js";

const SLOTS = 16_384;

export interface RedisCluster {
  /** The masters, followed by their replicas in the same order. */
  readonly nodes: readonly RedisServer[];
  readonly ports: readonly number[];
  end(): Promise<void>;
}

/**
 * Starts a Redis Cluster, optionally with one replica for each master, and waits until all slots
 * are served.
 */
export async function startCluster(masters = 3, { replicas = false } = {}): Promise<RedisCluster> {
  const buses: number[] = [];
  const nodes: RedisServer[] = [];
  for (let index = 0; index < masters * (replicas ? 2 : 1); index++) {
    const bus = await freePort();
    buses.push(bus);
    const args = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", `${bus}`];
    nodes.push(await startRedis({ args: [...args, "--cluster-replica-validity-factor", "0"] }));
  }
  for (let index = 0; index < masters; index++) {
    const [from, to] = [index, index + 1].map((part) => Math.floor((SLOTS / masters) * part)) as [number, number];
    await nodes[index]!.say("CLUSTER", "ADDSLOTSRANGE", from, to - 1);
    await nodes[index]!.say("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
  }
  for (const [index, node] of nodes.entries())
    if (index > 0) await nodes[0]!.say("CLUSTER", "MEET", "127.0.0.1", node.port, buses[index]!);
  const all = async (pattern: RegExp): Promise<boolean> => {
    const answers = await Promise.all(nodes.map((node) => node.say("CLUSTER", "INFO")));
    return answers.every((answer) => pattern.test(answer));
  };
  await until(() => all(new RegExp(`cluster_known_nodes:${nodes.length}\\b`)), 20_000, "The meeting of the nodes");
  for (const [index, node] of nodes.slice(masters).entries()) {
    const master = await nodes[index]!.say("CLUSTER", "MYID");
    await until(async () => (await node.say("CLUSTER", "REPLICATE", master)) === "OK", 20_000, "A replica's start");
  }
  await until(() => all(/cluster_state:ok/), 20_000, "The start of the cluster");
  return {
    nodes,
    ports: nodes.map(({ port }) => port),
    end: async () => void (await Promise.all(nodes.map((node) => node.end()))),
  };
}
