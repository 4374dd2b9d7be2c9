// For the measure of weight: `?ioredis` or `?node-redis` loads that one alone.
const which = new URL(import.meta.url).search.slice(1);
const open = {
  async ioredis() {
    const { Redis } = await import("ioredis");
    return async (port) => {
      const client = new Redis({ port, host: "127.0.0.1", lazyConnect: true });
      await client.connect();
      return client;
    };
  },
  async "node-redis"() {
    const { createClient } = await import("redis");
    return (port) => createClient({ socket: { port, host: "127.0.0.1" } }).connect();
  },
};
export const clients = { single: await open[which]() };
