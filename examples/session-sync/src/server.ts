import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { createHttp } from "@holdfast/example-kit/http";
import { handleRequests } from "./handlers.js";
import { createRealtime, type Realtime, type RealtimeOptions } from "./realtime.js";

export interface ExampleOptions extends Omit<RealtimeOptions, "broker"> {
  port: number;
  /** @default "127.0.0.1" */
  host?: string;
  /** The folder with the built page. */
  pageFolder: string;
  /**
   * The URL of Redis, if the server is one of several instances. @default none: a single process
   * without Redis
   */
  redisUrl?: string | undefined;
}

export interface Example {
  readonly port: number;
  readonly server: Realtime;
  close(): Promise<void>;
}

export async function startExample(options: ExampleOptions): Promise<Example> {
  const { port: wanted, host = "127.0.0.1", pageFolder, redisUrl, ...rest } = options;
  // Loaded on demand: without REDIS_URL the package ioredis need not be installed.
  const redis = redisUrl === undefined ? undefined : await import("@holdfast/server/redis");
  const server = createRealtime({
    ...rest,
    ...(redis && { broker: redis.redisBroker({ url: redisUrl!, prefix: "session-sync-example" }) }),
  });
  const http = await createHttp({ pageFolder, stats: () => server.stats() });
  http.listen(wanted, host);
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  handleRequests(server, `${hostname()}:${port}`);
  server.attach(http, { path: "/ws" });

  return {
    port,
    server,
    async close() {
      // The server accepts no new connections and closes the open ones with 1001. A page then
      // reconnects to another instance, or retries until this instance is back.
      http.close();
      await server.close();
      http.closeAllConnections();
    },
  };
}
