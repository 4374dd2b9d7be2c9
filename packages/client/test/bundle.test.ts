import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What an application's bundler makes of the client for a page. */
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
  return { text: outputFiles[0]!.text, inputs: Object.keys(metafile.inputs) };
}

test("[CN17] A bundle for browsers holds neither ws nor anything of Node", async () => {
  const { text, inputs } = await bundleForBrowsers();
  expect(inputs.filter((path) => /node_modules\/ws\//.test(path))).toEqual([]);
  expect(inputs.some((path) => path.endsWith("isomorphic-ws/browser.js"))).toBe(true);
  expect(text).not.toMatch(/["']node:|\brequire\(/);
});
