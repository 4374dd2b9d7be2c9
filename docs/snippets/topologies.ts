import { redisBroker } from "@holdfast/server/redis";
import { Cluster, Redis } from "ioredis";

const login = { username: "holdfast", password: process.env["REDIS_PASSWORD"] ?? "change-me" };

/**
 * One Redis with TLS. The url may contain the name and the password: rediss://name:password@host.
 */
export const one = redisBroker({
  client: new Redis("rediss://redis.example.com:6380", { ...login, lazyConnect: true }),
});

/** A primary that Sentinel elects. */
export const behindSentinel = redisBroker({
  client: new Redis({
    sentinels: ["a", "b", "c"].map((name) => ({ host: `sentinel-${name}.example.com`, port: 26379 })),
    name: "holdfast",
    ...login,
    lazyConnect: true,
  }),
});

/**
 * A cluster. Each channel is stored in one slot, so different channels spread over the nodes, but
 * one channel always uses one node.
 */
export const inCluster = redisBroker({
  client: new Cluster([{ host: "redis.example.com", port: 6379 }], { redisOptions: login, lazyConnect: true }),
});
