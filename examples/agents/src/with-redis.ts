/** The modules that only several instances need, in one file that is loaded on demand. */
export { redisBroker } from "@holdfast/server/redis";
export { RedisInstances } from "./redis-instances.js";
