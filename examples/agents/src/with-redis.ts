/**
 * The modules that are needed only if several instances run, in one file that is loaded on demand.
 */
export { redisBroker } from "@holdfast/server/redis";
export { RedisInstances } from "./redis-instances.js";
