import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createClient } from "@holdfast/client";
import { defineProtocol } from "@holdfast/protocol";
import { build } from "esbuild";
import { expect, onTestFinished, test } from "vitest";
import * as z from "zod";
import { standIns } from "./stand-ins.mjs";

test("[PG12] `on` accepts an event that the protocol does not declare, in a page's production build", async () => {
  const source = fileURLToPath(new URL("../packages/client/src/", import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [`${source}index.ts`],
    bundle: true,
    write: false,
    format: "esm",
    packages: "external",
    plugins: [standIns(source)],
  });
  const folder = mkdtempSync(fileURLToPath(new URL("../packages/client/.page-", import.meta.url)));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(`${folder}/index.mjs`, outputFiles[0]!.text);
  const ofPage = (await import(pathToFileURL(`${folder}/index.mjs`).href)) as { createClient: typeof createClient };
  const protocol = defineProtocol({ name: "p", version: "1.0.0", channels: { c: { events: { tick: z.number() } } } });
  const listen = (create: typeof createClient) => (): unknown =>
    create(protocol, { url: "ws://localhost/ws", autoConnect: false })
      .channel("c")
      .on("none" as never, () => {});
  expect(listen(createClient)).toThrow("none");
  expect(listen(ofPage.createClient)).not.toThrow();
});
