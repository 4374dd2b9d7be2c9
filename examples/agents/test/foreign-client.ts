import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, vi } from "vitest";
import { start } from "./start-example.js";

/**
 * Runs a client that knows nothing of Holdfast, as it stands in clients/ but for the port, against an example that pings
 * often; it has to receive the events of agent-updates and to live longer than one that leaves pings unanswered could.
 */
export async function expectItWorks(client: string, command: string, before: readonly string[]): Promise<void> {
  const heartbeat = { intervalMs: 300, timeoutMs: 300 };
  const example = await start({ heartbeat, startAtBoot: ["watch-host"] });
  const file = await copyWithPort(client, example.port);
  const child = spawn(command, [...before, file], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  onTestFinished(() => void child.kill("SIGKILL"));

  const agentId = example.fleet.list()[0]?.id ?? "no agent";
  const settings = { timeout: 20_000, interval: 50 };
  await vi.waitFor(() => {
    expect(output).toContain("cores [");
    expect(output.split(agentId).length).toBeGreaterThan(3);
  }, settings);

  // Its subscribe and six answered pings: 1.8 s, three times what silence is given.
  await vi.waitFor(() => expect(example.server.stats().messages.received).toBeGreaterThanOrEqual(7), settings);
  expect(example.server.stats().connections).toMatchObject({ active: 1, total: 1, failed: 0 });
  // Nothing it sent was refused.
  expect(example.server.stats().errors).toEqual({});
  expect(child.exitCode).toBeNull();
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
