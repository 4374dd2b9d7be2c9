// Puts the two client libraries behind the same few functions. Both are configured as a broker
// needs them: if a library is disconnected, it rejects commands and does not queue them.
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";

const quiet = (client, errors) => client.on("error", (error) => errors.push(error.message));
const retryDelay = (times) => Math.min(50 * times, 1_000);

export const clients = {
  ioredis: {
    async single(port, errors = []) {
      const client = quiet(
        new Redis({
          port,
          host: "127.0.0.1",
          lazyConnect: true,
          enableOfflineQueue: false,
          protocol: 2,
          retryStrategy: retryDelay,
        }),
        errors,
      );
      await client.connect();
      return {
        load: (script) => client.script("LOAD", script),
        evalsha: (sha, keys, args) => client.evalsha(sha, keys.length, ...keys, ...args),
        publish: (channel, text) => client.spublish(channel, text),
        async subscribe(channel, heard) {
          client.on("smessage", (_channel, text) => heard(text));
          await client.ssubscribe(channel);
        },
        close: () => client.disconnect(),
      };
    },
    async cluster(ports, errors = []) {
      const client = quiet(
        new Cluster(
          ports.map((port) => ({ port, host: "127.0.0.1" })),
          { lazyConnect: true, enableOfflineQueue: false, shardedSubscribers: true, slotsRefreshInterval: 1_000 },
        ),
        errors,
      );
      await client.connect();
      const listeners = new Map();
      return {
        publish: (channel, text) => client.spublish(channel, text),
        async subscribe(channel, heard) {
          if (client.listenerCount("smessage") === 0)
            client.on("smessage", (from, text) => listeners.get(from)?.(text));
          listeners.set(channel, heard);
          await client.ssubscribe(channel);
        },
        close: () => client.disconnect(),
      };
    },
  },

  "node-redis": {
    async single(port, errors = []) {
      const client = quiet(
        createClient({
          socket: { port, host: "127.0.0.1", reconnectStrategy: retryDelay },
          disableOfflineQueue: true,
          RESP: 2,
        }),
        errors,
      );
      await client.connect();
      return {
        load: (script) => client.scriptLoad(script),
        evalsha: (sha, keys, args) => client.evalSha(sha, { keys, arguments: args }),
        publish: (channel, text) => client.sPublish(channel, text),
        subscribe: (channel, heard) => client.sSubscribe(channel, heard),
        close: () => client.destroy(),
      };
    },
    async cluster(ports, errors = []) {
      const client = quiet(
        createCluster({
          rootNodes: ports.map((port) => ({ socket: { port, host: "127.0.0.1" } })),
          defaults: { disableOfflineQueue: true, socket: { reconnectStrategy: retryDelay } },
        }),
        errors,
      );
      await client.connect();
      return {
        publish: (channel, text) => client.sPublish(channel, text),
        subscribe: (channel, heard) => client.sSubscribe(channel, heard),
        close: () => client.destroy(),
      };
    },
  },
};
