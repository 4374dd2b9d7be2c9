/** All that several instances need and one does not, in one file that is loaded only for them. */
export { redisBroker } from "@holdfast/server/redis";
export { RedisInstances } from "./redis-instances.js";
