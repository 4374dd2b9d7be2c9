import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Example, type ExampleOptions, startExample } from "../src/server.js";

/**
 * Starts the example on a free port, with a page of one line. Closes the example after the test.
 */
export async function start(options: Partial<ExampleOptions> = {}): Promise<Example> {
  const pageFolder = await mkdtemp(join(tmpdir(), "session-page-"));
  await writeFile(join(pageFolder, "index.html"), "<!doctype html><title>Session</title>");
  const example = await startExample({ port: 0, pageFolder, ...options });
  onTestFinished(async () => {
    await example.close();
    await rm(pageFolder, { recursive: true });
  });
  return example;
}
