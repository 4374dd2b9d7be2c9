import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Example, type ExampleOptions, startExample } from "../src/server.js";

/** An empty folder, removed when the test is over. */
export async function emptyFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "devices-"));
  // Retried, because a server that is being killed may still write to it.
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
}

/** The example on a free port with a page of one line, closed when the test is over. */
export async function start(options: Partial<ExampleOptions> = {}): Promise<Example> {
  const pageFolder = await emptyFolder();
  await writeFile(join(pageFolder, "index.html"), "<!doctype html><title>Devices</title>");
  const dataFolder = options.dataFolder ?? (await emptyFolder());
  const example = await startExample({ port: 0, pageFolder, ackTimeoutMs: 500, ...options, dataFolder });
  onTestFinished(() => example.close());
  return example;
}
