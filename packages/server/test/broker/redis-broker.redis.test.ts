import { Cluster } from "ioredis";
import { redisBroker } from "@holdfast/server/redis";
import { topicKeys } from "../../src/broker/redis/keys.js";
import { startCluster } from "../support/redis-cluster.js";
import { startRedis } from "../support/redis-server.js";
import { brokerContract } from "./broker-contract.js";

let runs = 0;
/** The key with a topic's epoch. Without this key the other keys of the topic are ignored. */
const metaOf = (topic: string): string => topicKeys(`test-${runs}:contract`, topic).meta;

brokerContract("redisBroker", async () => {
  const server = await startRedis();
  return {
    broker: () => redisBroker({ url: server.url, prefix: `test-${++runs}` }),
    forget: (topic) => server.say("DEL", metaOf(topic)),
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
    forget: (topic) => client.del(metaOf(topic)),
    end: async () => {
      client.disconnect();
      await cluster.end();
    },
  };
});
