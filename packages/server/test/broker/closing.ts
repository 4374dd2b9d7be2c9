/**
 * A process with one server on Redis. It closes the server after `afterMs` and reports how long the
 * process took to exit. Only the broker has connections, so only the broker can delay the exit.
 */
import { createServer } from "@holdfast/server";
import { redisBroker, type RedisBrokerOptions } from "@holdfast/server/redis";
import { Cluster, Redis } from "ioredis";
import { numbers } from "../support/numbers-protocol.js";

export interface Closing {
  readonly kind: "single" | "tls" | "cluster" | "sentinel";
  readonly port: number;
  /** Milliseconds between the start of the process and `close`. */
  readonly afterMs: number;
}

const { kind, port, afterMs } = JSON.parse(process.argv[2]!) as Closing;
const node = { host: "127.0.0.1", port };
const options: Record<Closing["kind"], () => RedisBrokerOptions> = {
  single: () => ({ url: `redis://127.0.0.1:${port}` }),
  tls: () => ({ url: `rediss://127.0.0.1:${port}` }),
  cluster: () => ({ client: new Cluster([node], { lazyConnect: true }) }),
  sentinel: () => ({ client: new Redis({ sentinels: [node], name: "main", lazyConnect: true }) }),
};

const server = createServer(numbers, { broker: redisBroker(options[kind]()) });
setTimeout(() => void close(), afterMs);

async function close(): Promise<void> {
  const wasReady = server.isReady;
  await server.close({ graceMs: 0 });
  const closedAt = performance.now();
  process.once("exit", () => {
    process.stdout.write(JSON.stringify({ wasReady, ms: Math.round(performance.now() - closedAt) }));
  });
}
