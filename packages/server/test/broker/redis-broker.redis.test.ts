import { Cluster } from "ioredis";
import { redisBroker } from "@holdfast/server/redis";
import { startCluster } from "../redis/redis-cluster.js";
import { startRedis } from "../redis/redis-server.js";
import { brokerContract } from "./broker-contract.js";

let runs = 0;

brokerContract("redisBroker", async () => {
  const server = await startRedis();
  return {
    broker: () => redisBroker({ url: server.url, prefix: `test-${++runs}` }),
    end: () => server.end(),
  };
});

brokerContract("redisBroker on a cluster", async () => {
  const cluster = await startCluster();
  const client = new Cluster(
    cluster.ports.map((port) => ({ port, host: "127.0.0.1" })),
    { lazyConnect: true },
  );
  return {
    broker: () => redisBroker({ client, prefix: `test-${++runs}` }),
    end: () => cluster.end(),
  };
});
