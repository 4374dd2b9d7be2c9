/**
 * Connects several instances of a server through one Redis:
 *
 *     createServer(protocol, { broker: redisBroker({ url: "redis://localhost:6379" }) })
 *
 * This entry point requires the package `ioredis` (6) and a Redis that
 *
 * - has version 7 or newer, or is Valkey: a single server, a primary behind Sentinel, or a cluster
 * - never evicts keys (`maxmemory-policy noeviction`). If Redis evicts keys, clients receive a
 *   reset, because their history is lost
 * - writes to disk (`appendonly yes`), if histories should survive a restart of Redis. Without
 *   `appendonly yes`, every client receives a reset after a restart. Do not combine `appendonly
 *   yes` with `user default off`: Redis 7.0 then refuses to load the writes of scripts
 *   (redis#14541). Give the default user a password instead
 * - with replicas: has `min-replicas-to-write 1` and `min-replicas-max-lag 10`. Otherwise, a
 *   primary that is cut off from its replicas stores events that the failover loses
 * - with ACLs: grants the broker's user the keys `~{holdfast*`, the channels `&{holdfast*` and the
 *   commands `+@scripting +@hash +@stream +@keyspace +@string +@pubsub +@connection +info +time`;
 *   in a cluster also `+cluster|slots +cluster|info`. The broker trusts announcements: any user
 *   that may publish on these channels can impersonate a server
 */
export { redisBroker, type RedisBrokerOptions } from "./broker/redis/redis-broker.js";
