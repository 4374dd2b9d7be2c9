import { execFile } from "node:child_process";
import { createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { instanceProgram } from "../support/instance-processes.js";
import { startCluster } from "../support/redis-cluster.js";
import { freePort } from "../support/redis-server.js";
import { RedisHarness } from "../support/redis-harness.js";
import { until } from "../support/until.js";
import type { Closing } from "./closing.js";

let program: Awaited<ReturnType<typeof instanceProgram>>;
beforeAll(async () => void (program = await instanceProgram(new URL("./closing.ts", import.meta.url))));
afterAll(() => program.end());

/** Runs the program of `closing.ts` until it exits. */
function closes(closing: Closing): Promise<{ wasReady: boolean; ms: number }> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [program.file, JSON.stringify(closing)],
      { timeout: 60_000 },
      (error, out) => (error ? reject(error) : resolve(JSON.parse(out) as { wasReady: boolean; ms: number })),
    );
    child.stderr?.resume();
  });
}

/** Starts a server that accepts connections and never answers. Returns its port. */
async function silent(world: RedisHarness): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  world.endsWith(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

const kinds = ["single", "tls", "cluster", "sentinel"] as const;

describe("[BR66] the process ends within 500 ms after close", { timeout: 180_000 }, () => {
  test.concurrent.each(kinds)("if nothing listens on the port of Redis (%s)", async (kind) => {
    const port = await freePort();
    for (const afterMs of [0, 1_300]) {
      const { wasReady, ms } = await closes({ kind, port, afterMs });
      expect(wasReady).toBe(false);
      expect(ms, `closed after ${afterMs} ms`).toBeLessThan(500);
    }
  });

  test.concurrent.for(kinds)("if the port accepts connections but never answers (%s)", async (kind, context) => {
    const port = await silent(new RedisHarness(context));
    for (const afterMs of [300, 1_600]) {
      const { ms } = await closes({ kind, port, afterMs });
      expect(ms, `closed after ${afterMs} ms`).toBeLessThan(500);
    }
  });

  test.concurrent.for(["single", "cluster", "sentinel"] as const)(
    "if Redis works, stops answering or is killed (%s)",
    async (kind, context) => {
      const world = new RedisHarness(context);
      const cluster = kind === "cluster" ? await startCluster(2) : undefined;
      if (cluster) world.endsWith(() => cluster.end());
      const redis = cluster ? cluster.nodes[0]! : await world.redis();
      const port = kind === "sentinel" ? (await world.redis({ sentinelOf: redis.port })).port : redis.port;
      const afterMs = 4_000;
      const [first, ...rest] = await Promise.all([
        closes({ kind, port, afterMs }),
        closes({ kind, port, afterMs: 100 }),
        closes({ kind, port, afterMs: 1_000 }),
      ]);
      expect(first.wasReady).toBe(true);
      for (const { ms } of [first, ...rest]) expect(ms).toBeLessThan(500);

      const whileStopped = [closes({ kind, port, afterMs: 6_000 })];
      await until(async () => (await redis.clients()) > (kind === "sentinel" ? 2 : 1), 10_000);
      redis.stop();
      whileStopped.push(closes({ kind, port, afterMs }));
      for (const { ms } of await Promise.all(whileStopped)) expect(ms, "stopped").toBeLessThan(500);
      redis.cont();

      const whileDown = [closes({ kind, port, afterMs: 6_000 }), closes({ kind, port, afterMs: 7_000 })];
      await until(async () => (await redis.clients()) > (kind === "sentinel" ? 2 : 1), 10_000);
      await redis.kill();
      for (const { ms } of await Promise.all(whileDown)) expect(ms, "killed").toBeLessThan(500);
    },
  );
});
