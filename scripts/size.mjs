/**
 * Measures how much a browser downloads: size/app.ts, bundled from the BUILT packages as an
 * application's bundler would.
 *
 * "Everything" contains the protocol definition, validation (zod/mini), superjson and the socket
 * layer. "Our own code" is what createClient and defineProtocol add. For that figure the libraries
 * are left out before compression. The difference of two compressed sizes would be too small,
 * because our code compresses better next to the code of the libraries.
 *
 * The check fails if a figure is over its budget, if the bundle contains `ws`, a Node module or
 * sources, or if the README names a size that differs from a build with Vite (size/vite.mjs).
 */
import { build } from "esbuild";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { join } from "node:path";
import { root } from "./run.mjs";
import { measureWithVite, readmeFault } from "./size/vite.mjs";

const KB = 1024;
/**
 * Bytes after gzip. Our own code is still larger than its aim of 9 KB, and every run prints the
 * difference. Until the aim is reached, the budget of 11.5 KB prevents growth.
 */
const budgets = { everything: 22 * KB, own: 11.5 * KB };
const OWN_AIM = 9 * KB;
const libraries = ["zod", "superjson", "reconnecting-websocket", "isomorphic-ws"];

async function bundle(entry, external) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: entry, resolveDir: join(root, "scripts", "size"), loader: "ts" },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    define: { "process.env.NODE_ENV": '"production"' },
    external,
    // An empty tsconfig, because the repository's tsconfig leads to the sources. An application has
    // only the published files.
    tsconfigRaw: {},
    write: false,
    metafile: true,
    legalComments: "none",
  });
  return { text: outputFiles[0].contents, inputs: Object.keys(metafile.inputs) };
}

const everything = await bundle('import "./app.ts"', []);
const own = await bundle(
  'export { createClient } from "@holdfast/client"; export { defineProtocol } from "@holdfast/protocol";',
  libraries.flatMap((name) => [name, `${name}/*`]),
);
const withDocument = await bundle(
  'import "./app.ts"; import { documentOf } from "@holdfast/client"; globalThis.documentOf = documentOf;',
  [],
);
const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;
const measured = { everything: gzip(everything.text), own: gzip(own.text) };
const brotli = brotliCompressSync(everything.text).length;

const faults = [];
for (const [name, budget] of Object.entries(budgets))
  if (measured[name] > budget) faults.push(`${name}: ${measured[name]} bytes gzip are over the budget of ${budget}.`);
if (everything.inputs.some((path) => /node_modules\/ws\//.test(path)))
  faults.push("`ws` is in the browser bundle. Import `isomorphic-ws` instead.");
if (Buffer.from(everything.text).includes("node:"))
  faults.push("The browser bundle names a Node module (`node:`): the client must run without Node.");
const sources = everything.inputs.filter((path) => /packages\/[a-z]+\/src\//.test(path));
if (sources.length > 0) faults.push(`The measured bundle contains sources instead of published files: ${sources[0]}.`);
const withVite = await measureWithVite();
const untrue = readmeFault(withVite);
if (untrue) faults.push(untrue);

for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;

const kb = (bytes) => `${(bytes / KB).toFixed(2)} KB`;
console.log(
  `everything ${kb(everything.text.length)} min, ${kb(measured.everything)} gzip (of ${budgets.everything / KB}), ` +
    `${kb(brotli)} brotli; our own code ${kb(measured.own)} gzip (aim ${OWN_AIM / KB}, ` +
    `${measured.own > OWN_AIM ? `missed by ${kb(measured.own - OWN_AIM)}; ` : ""}held at ${budgets.own / KB}); with documentOf(channel) +${kb(gzip(withDocument.text) - measured.everything)}; ` +
    `Vite ${withVite.map((bytes) => (bytes / 1_000).toFixed(2)).join(", ")} kB`,
);
