import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";

export interface RunningRedis {
  readonly url: string;
  /** Kills Redis and restarts it with the same data. */
  restart(): Promise<void>;
  /** Stops Redis with SIGSTOP, so that Redis answers nothing until `goOn` is called. */
  halt(): void;
  goOn(): void;
}

/**
 * Starts a redis-server on a free port. The server stores every write on disk and ends after the
 * test.
 */
export async function runRedis(): Promise<RunningRedis> {
  const folder = mkdtempSync(join(tmpdir(), "example-redis-"));
  const port = await freePort();
  const start = async () => {
    const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
    options.push("--appendonly", "yes", "--appendfsync", "always");
    const child = spawn(process.env["REDIS_SERVER"] ?? "redis-server", options, { stdio: "ignore" });
    await vi.waitFor(() => once(connect(port, "127.0.0.1"), "connect"), { timeout: 10_000, interval: 20 });
    return child;
  };
  const end = async () => {
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };
  let child = await start();
  onTestFinished(async () => {
    await end();
    rmSync(folder, { recursive: true });
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    async restart() {
      await end();
      child = await start();
    },
    halt: () => void child.kill("SIGSTOP"),
    goOn: () => void child.kill("SIGCONT"),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
