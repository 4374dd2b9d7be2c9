/**
 * Several instances of a server on one Redis:
 *
 *     createServer(protocol, { broker: redisBroker({ url: "redis://localhost:6379" }) })
 *
 * It takes the package `ioredis` (6), which is loaded from here and nowhere else, and a Redis that
 *
 * - is version 7 or newer, or Valkey: one, one behind Sentinel, or a cluster
 * - keeps what it is given: `maxmemory-policy noeviction`. Evicted keys are noticed as a lost
 *   history, and lost they are
 * - writes to disk (`appendonly yes`), if histories are to outlive it. Without it, every client is
 *   told `reset` after a restart Not together with `user default off`: Redis 7.0 then refuses to
 *   load what scripts have written (redis#14541); give the default user a password instead
 * - with replicas: `min-replicas-to-write 1` and `min-replicas-max-lag 10`, so that a primary that
 *   was cut off refuses to store what would be lost with it
 * - allows its user, if it has ACLs, keys `~{holdfast*`, channels `&{holdfast*` and the commands of
 *   `+@scripting +@hash +@stream +@keyspace +@string +@pubsub +@connection +info +time`; in a
 *   cluster also `+cluster|slots +cluster|info`. Announcements are believed: whoever may publish on
 *   these channels can pretend to be a server
 */
export { redisBroker, type RedisBrokerOptions } from "./broker/redis/redis-broker.js";
