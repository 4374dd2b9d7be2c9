import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/**
 * In the Holdfast repository the packages' sources are bundled, so that they need not be built
 * first. Copied elsewhere, the examples use the packages they have installed.
 */
const sources = {
  name: "sources of the repository",
  setup({ onResolve }) {
    onResolve({ filter: /^@holdfast\/[a-z]+(\/[a-z]+)?$/ }, ({ path: name }) => {
      const [, packageName, entry = "index"] = name.split("/");
      const source = fileURLToPath(new URL(`../../packages/${packageName}/src/${entry}.ts`, import.meta.url));
      return existsSync(source) ? { path: source } : undefined;
    });
    // Sources too, which Node cannot import as they are. As the page's they are found without help.
    onResolve({ filter: /^@holdfast\/example-kit\/[a-z]+$/ }, ({ path: name }) => ({
      path: fileURLToPath(new URL(`src/${name.split("/")[2]}.ts`, import.meta.url)),
    }));
  },
};

/**
 * As published: in a page's production build the modules of src/page stand in for those of the same
 * name.
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
  // The repository's tsconfig paths are for type-checking; read here they would point isomorphic-ws
  // at a file of types.
  tsconfigRaw: {},
  logLevel: "warning",
};

/**
 * Builds dist/ of an example: the server for Node and the page for browsers. Takes a fraction of a
 * second, and no network. Each file is replaced as a whole: a server that runs, and another build
 * at the same time, never find half of one.
 * @param {string} folder the example's, as a URL that ends in a slash
 */
export async function buildExample(folder) {
  const path = (name) => fileURLToPath(new URL(name, folder));
  // Beside dist, as deep as that, so that source maps lead to the same files.
  const out = await mkdtemp(path(".build-"));
  try {
    // All of them, so that none still writes when one has failed and all is removed.
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
      // What is imported on demand stays a file of its own, and so does its need for the package
      // ioredis.
      splitting: true,
      // Without a hash, which would leave one more file with each build.
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
