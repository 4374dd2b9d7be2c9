import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Example, type ExampleOptions, startExample } from "../src/server.js";

/** Creates an empty folder that is removed after the test. */
export async function emptyFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "devices-"));
  // Removal is retried, because a server that is being killed may still write to the folder.
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
}

/**
 * Starts the example on a free port, with a page of one line. Closes the example after the test.
 */
export async function start(options: Partial<ExampleOptions> = {}): Promise<Example> {
  const pageFolder = await emptyFolder();
  await writeFile(join(pageFolder, "index.html"), "<!doctype html><title>Devices</title>");
  const dataFolder = options.dataFolder ?? (await emptyFolder());
  const example = await startExample({ port: 0, pageFolder, ackTimeoutMs: 500, ...options, dataFolder });
  onTestFinished(() => example.close());
  return example;
}
