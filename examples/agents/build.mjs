import { existsSync } from "node:fs";
import { cp, mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Builds dist/: the server for Node and the page for browsers. Takes a fraction of a second, and no network. */

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/**
 * In the Holdfast repository the packages' sources are bundled, so that they need not be built first. Copied elsewhere,
 * this folder uses the packages it has installed.
 */
const sources = {
  name: "sources of the repository",
  setup({ onResolve }) {
    onResolve({ filter: /^@holdfast\/[a-z]+(\/[a-z]+)?$/ }, ({ path: name }) => {
      const [, packageName, entry = "index"] = name.split("/");
      const source = path(`../../packages/${packageName}/src/${entry}.ts`);
      return existsSync(source) ? { path: source } : undefined;
    });
  },
};

const common = {
  bundle: true,
  format: "esm",
  target: "es2022",
  sourcemap: true,
  plugins: [sources],
  // The repository's tsconfig paths are for type-checking; read here they would point isomorphic-ws at a file of types.
  tsconfigRaw: {},
  logLevel: "warning",
};

const out = path("dist");
await mkdir(`${out}/page`, { recursive: true });
await Promise.all([
  build({
    ...common,
    entryPoints: [path("src/main.ts")],
    outdir: out,
    platform: "node",
    packages: "external",
    // What is imported on demand stays a file of its own, and so does its need for the package ioredis.
    splitting: true,
    // Without a hash, which would leave one more file with each build.
    chunkNames: "[name]",
  }),
  build({
    ...common,
    entryPoints: [path("src/page/main.ts")],
    outfile: `${out}/page/page.js`,
    platform: "browser",
    minify: true,
  }),
  build({ ...common, entryPoints: [path("src/page/page.css")], outdir: `${out}/page`, minify: true }),
  ...["index.html", "icon.svg"].map((file) => cp(path(`src/page/${file}`), `${out}/page/${file}`)),
]);
