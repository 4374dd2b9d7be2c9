import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/**
 * In the Holdfast repository this plugin bundles the sources of the packages, so the packages need
 * no build. If you copy the examples elsewhere, the bundle uses the installed packages.
 */
const sources = {
  name: "sources of the repository",
  setup({ onResolve }) {
    onResolve({ filter: /^@holdfast\/[a-z]+(\/[a-z]+)?$/ }, ({ path: name }) => {
      const [, packageName, entry = "index"] = name.split("/");
      const source = fileURLToPath(new URL(`../../packages/${packageName}/src/${entry}.ts`, import.meta.url));
      return existsSync(source) ? { path: source } : undefined;
    });
    // The server's code would import these names at run time, but the names lead to TypeScript,
    // which Node cannot import. So the kit's files are bundled. esbuild itself resolves the kit's
    // files for a page.
    onResolve({ filter: /^@holdfast\/example-kit\/[a-z]+$/ }, ({ path: name }) => ({
      path: fileURLToPath(new URL(`src/${name.split("/")[2]}.ts`, import.meta.url)),
    }));
  },
};

/**
 * Replaces modules as in the published packages: in a page's production build the modules of
 * src/page stand in for the modules of the same name.
 */
async function pageStandIns() {
  const tool = new URL("../../scripts/stand-ins.mjs", import.meta.url);
  if (!existsSync(tool)) return [];
  const { standIns } = await import(tool.href);
  return ["protocol", "client"].map((name) =>
    standIns(fileURLToPath(new URL(`../../packages/${name}/src`, import.meta.url))),
  );
}

const common = {
  bundle: true,
  format: "esm",
  target: "es2022",
  sourcemap: true,
  plugins: [sources],
  // The repository's tsconfig paths are for type-checking. Here these paths would resolve
  // isomorphic-ws to a file of types.
  tsconfigRaw: {},
  logLevel: "warning",
};

/**
 * Builds dist/ of an example: the server for Node and the page for browsers. The build takes a
 * fraction of a second and needs no network. Each file is replaced atomically, so a running server
 * and a second build never read half of a file.
 * @param {string} folder the example's folder, as a URL that ends in a slash
 */
export async function buildExample(folder) {
  const path = (name) => fileURLToPath(new URL(name, folder));
  // The temporary folder is beside dist, so that the relative paths in the source maps stay right.
  const out = await mkdtemp(path(".build-"));
  try {
    // Waits for all builds. If one build fails, no other build may still write when the folder is
    // removed.
    const outcomes = await Promise.allSettled(await write(path, out));
    for (const { reason } of outcomes) if (reason) throw reason;
    await replace(out, path("dist"));
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

async function replace(from, to) {
  const found = await readdir(from, { recursive: true, withFileTypes: true });
  for (const entry of found.filter((one) => one.isFile())) {
    const folder = join(to, relative(from, entry.parentPath));
    await mkdir(folder, { recursive: true });
    await rename(join(entry.parentPath, entry.name), join(folder, entry.name));
  }
}

async function write(path, out) {
  await mkdir(`${out}/page`);
  return [
    build({
      ...common,
      entryPoints: [path("src/main.ts")],
      outdir: out,
      platform: "node",
      packages: "external",
      // Modules that are imported on demand stay separate files, so the server needs the package
      // ioredis only if it imports these files.
      splitting: true,
      // The names contain no hash, because each build would leave another file in dist.
      chunkNames: "[name]",
    }),
    build({
      ...common,
      entryPoints: [path("src/page/main.ts")],
      outfile: `${out}/page/page.js`,
      platform: "browser",
      plugins: [...common.plugins, ...(await pageStandIns())],
      minify: true,
    }),
    build({ ...common, entryPoints: [path("src/page/page.css")], outdir: `${out}/page`, minify: true }),
    ...["index.html", "icon.svg"].map((file) => cp(path(`src/page/${file}`), `${out}/page/${file}`)),
  ];
}
