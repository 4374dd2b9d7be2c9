import type { SpawnOptions } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createClient } from "@holdfast/client";
import { buildExample, type RunningProgram, runProgram } from "@holdfast/example-kit/testing/program";
import { type Agent, agents, type Line } from "../src/protocol.js";

export { end } from "@holdfast/example-kit/testing/program";

const folder = new URL("../", import.meta.url);

export const build = (): void => buildExample(folder);

export interface Running extends RunningProgram {
  /** The agents that the server lists. */
  list(): Promise<Agent[]>;
  /** The lines of an agent that the server stores. */
  log(agentId: string): Promise<Line[]>;
}

export interface RunOptions {
  port?: number;
  cwd?: string;
  redisUrl?: string;
}

/** Runs the built server in a separate process that a test may kill. */
export function runMain({ port = 0, cwd = fileURLToPath(folder), redisUrl = "" }: RunOptions = {}): Promise<Running> {
  return run("dist/main.js", [], { cwd, env: { PORT: String(port), REDIS_URL: redisUrl } });
}

/** Runs the load balancer `front.mjs` in front of several servers. */
export function runFront(...behind: readonly Running[]): Promise<Running> {
  const ports = behind.map(({ port }) => String(port));
  return run("front.mjs", ports, { env: { PORT: "0" } });
}

async function run(script: string, args: readonly string[], options: SpawnOptions): Promise<Running> {
  const program = await runProgram(new URL(script, folder), args, options);
  const { port } = program;
  return {
    ...program,
    async list() {
      const client = connect(port);
      const { agents: list } = await client.request("agent.list").finally(() => client.disconnect());
      return list;
    },
    async log(agentId) {
      const client = connect(port);
      const { lines } = await client.request("agent.log", { agentId }).finally(() => client.disconnect());
      return lines;
    },
  };
}

export function connect(port: number) {
  return createClient(agents, { url: `ws://localhost:${port}/ws`, token: "abc123" });
}

/** True if the process runs. A killed process that its parent has not reaped does not run. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync("/proc/self/stat") || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
