import { type ChildProcess, execFileSync, spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createClient } from "@holdfast/client";
import { onTestFinished } from "vitest";
import { type Agent, agents, type Line } from "../src/protocol.js";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Builds what `npm start` runs. */
export function build(): void {
  execFileSync(process.execPath, [path("../build.mjs")], { stdio: "inherit" });
}

export interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  /** All it has printed. */
  output(): string;
  /** The server's own list. */
  list(): Promise<Agent[]>;
  /** The lines it keeps of an agent. */
  log(agentId: string): Promise<Line[]>;
}

export interface RunOptions {
  port?: number;
  cwd?: string;
  redisUrl?: string;
}

/** Runs the built server as a process of its own, which a test may kill. */
export function runMain({ port = 0, cwd = path(".."), redisUrl = "" }: RunOptions = {}): Promise<Running> {
  return run(["../dist/main.js"], { cwd, env: { ...process.env, PORT: String(port), REDIS_URL: redisUrl } });
}

/** What stands in front of several servers. */
export function runFront(...behind: readonly Running[]): Promise<Running> {
  const ports = behind.map(({ port }) => String(port));
  return run(["../front.mjs", ...ports], { env: { ...process.env, PORT: "0" } });
}

async function run([script, ...args]: [string, ...string[]], options: SpawnOptions): Promise<Running> {
  const child = spawn(process.execPath, [path(script), ...args], { ...options, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const port = await new Promise<number>((resolve, reject) => {
    child.once("close", (code) => reject(new Error(`the server ended with ${code}:\n${output}`)));
    child.stdout.on("data", () => {
      const printed = /http:\/\/localhost:(\d+)/.exec(output)?.[1];
      if (printed !== undefined) resolve(Number(printed));
    });
  });
  return {
    child,
    port,
    output: () => output,
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

/** Ends it with a signal and waits until it has ended. */
export async function end({ child }: Running, signal: NodeJS.Signals): Promise<number | null> {
  const gone = once(child, "exit");
  child.kill(signal);
  const [code] = (await gone) as [number | null];
  return code;
}

/** Whether a process runs. One that was killed and whose end nobody has looked at yet does not. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync("/proc/self/stat") || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
