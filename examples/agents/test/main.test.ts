import { readdir, readFile } from "node:fs/promises";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { alive, build, end, runMain } from "./run-main.js";

beforeAll(build);

test("[EX19] the server prints its address and token on one line and starts two agents", async () => {
  const server = await runMain();
  expect(server.output()).toBe(`Agents example: http://localhost:${server.port} (WebSocket at /ws, token abc123)\n`);
  const agents = await server.list();
  expect(agents.map(({ program, status }) => [program, status])).toEqual([
    ["primes", "running"],
    ["watch-host", "running"],
  ]);
});

test.each(["SIGTERM", "SIGINT", "SIGKILL"] as const)(
  "[EX11] when %s ends the server, its agents end too",
  async (signal) => {
    const server = await runMain();
    const pids = (await server.list()).map(({ pid }) => pid);
    expect(pids.map(alive)).toEqual([true, true]);
    onTestFinished(() => pids.forEach((pid) => alive(pid) && process.kill(pid, "SIGKILL")));
    // A halted agent does not notice that the output pipe breaks, so only the warden can end the
    // agent.
    if (signal === "SIGKILL") for (const pid of pids) process.kill(pid, "SIGSTOP");
    const code = await end(server, signal);
    expect(code).toBe(signal === "SIGKILL" ? null : 0);
    await vi.waitFor(() => expect(pids.map(alive)).toEqual([false, false]), { timeout: 5_000, interval: 20 });
  },
  20_000,
);

test("[EX19] if the port is taken, the server exits with 1 and one line that names another port", async () => {
  const { port } = await runMain();
  await expect(runMain({ port })).rejects.toThrow(/ended with 1:\n.*PORT=3001 .*\n$/);
});

test("[EX34] the Redis client is in a separate file, which the server imports only if Redis is configured", async () => {
  const dist = new URL("../dist/", import.meta.url);
  const files = (await readdir(dist)).filter((name) => name.endsWith(".js"));
  const needsIt = await Promise.all(
    files.map(async (name) => ((await readFile(new URL(name, dist), "utf8")).includes('from "ioredis"') ? [name] : [])),
  );
  expect(needsIt.flat()).toEqual(["with-redis.js"]);
  const main = await readFile(new URL("main.js", dist), "utf8");
  expect(main).toContain('import("./with-redis.js")');
});
