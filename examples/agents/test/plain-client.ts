import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ServerStats } from "@holdfast/server";
import { onTestFinished, vi } from "vitest";
import { start } from "./start-example.js";

export interface Observed {
  readonly output: string;
  /** The agent whose events the client should have received. */
  readonly agentId: string;
  readonly stats: ServerStats;
  readonly ended: boolean;
}

/**
 * Runs a client of clients/, with only the port changed, against an example that pings every 300 ms
 * and closes a connection that stays silent for another 300 ms. Returns after seven messages of the
 * client: a subscribe and six pongs. These take 1.8 s, three times as long as a silent connection
 * stays open.
 */
export async function observe(client: string, command: string, before: readonly string[]): Promise<Observed> {
  const heartbeat = { intervalMs: 300, timeoutMs: 300 };
  const example = await start({ heartbeat, startAtBoot: ["watch-host"] });
  const file = await copyWithPort(client, example.port);
  const child = spawn(command, [...before, file], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  onTestFinished(() => void child.kill("SIGKILL"));

  const agentId = example.fleet.list()[0]?.id ?? "no agent";
  await vi.waitFor(
    () => {
      const { messages } = example.server.stats();
      const events = output.split(agentId).length - 1;
      if (messages.received < 7 || events < 3) throw new Error(`${messages.received} messages, output:\n${output}`);
    },
    { timeout: 20_000, interval: 50 },
  );
  return { output, agentId, stats: example.server.stats(), ended: child.exitCode !== null };
}

async function copyWithPort(client: string, port: number): Promise<string> {
  const source = await readFile(fileURLToPath(new URL(`../clients/${client}`, import.meta.url)), "utf8");
  const changed = source.replace("ws://localhost:3000/", `ws://localhost:${port}/`);
  if (changed === source) throw new Error(`${client} does not connect to ws://localhost:3000/`);
  const folder = await mkdtemp(join(tmpdir(), "agents-client-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, basename(client).replace(/\.js$/, ".mjs"));
  await writeFile(file, changed);
  return file;
}
