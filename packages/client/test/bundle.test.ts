import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Bundles the client for a page, as an application's bundler does. */
async function bundleForBrowsers() {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: `import { createClient } from "./index.js"; globalThis.createClient = createClient;`,
      resolveDir: here("../src"),
      loader: "ts",
    },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    define: { "process.env.NODE_ENV": '"production"' },
    write: false,
    metafile: true,
  });
  const kept = Object.entries(Object.values(metafile.outputs)[0]!.inputs);
  const bytes = (part: string): number =>
    kept.reduce((sum, [path, { bytesInOutput }]) => (path.includes(part) ? sum + bytesInOutput : sum), 0);
  return { text: outputFiles[0]!.text, inputs: Object.keys(metafile.inputs), bytes };
}

test("[CN17] a browser bundle contains neither ws nor Node modules, and contains presence, documents and stored positions only if the page uses them", async () => {
  const { text, inputs, bytes } = await bundleForBrowsers();
  expect(inputs.filter((path) => /node_modules\/ws\//.test(path))).toEqual([]);
  expect(inputs.some((path) => path.endsWith("isomorphic-ws/browser.js"))).toBe(true);
  expect(text).not.toMatch(/["']node:|\brequire\(/);
  expect(bytes("client/src/presence")).toBe(0);
  expect(bytes("client/src/keep-positions")).toBe(0);
  for (const part of ["client/src/state", "client/src/share", "client/src/freeze", "protocol/src/state"])
    expect(bytes(part), part).toBe(0);
});
