/**
 * What a page downloads when an application is built with Vite as it comes: the figures of the
 * README's sentence on size, and whether that sentence is still true. The packages are those that
 * are BUILT, by the conditions that Vite sets.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { root } from "../run.mjs";

/** @returns {Promise<number>} bytes of script after gzip */
async function downloaded(app, zod = "zod/mini") {
  const { output } = await build({
    root: join(root, "scripts/size"),
    configFile: false,
    logLevel: "error",
    plugins: [
      {
        name: "which application, and which zod it imports",
        transformIndexHtml: { order: "pre", handler: (html) => html.replace("app.ts", app) },
        transform: (code, id) => (id.endsWith(`size/${app}`) ? code.replace('"zod/mini"', `"${zod}"`) : undefined),
      },
    ],
    build: { write: false },
  });
  const scripts = output.filter(({ type }) => type === "chunk");
  const inputs = scripts.flatMap(({ moduleIds }) => moduleIds);
  if (!inputs.some((id) => id.endsWith(`size/${app}`))) throw new Error(`Vite has not built ${app}.`);
  const source = inputs.find((id) => /packages\/[a-z]+\/src\//.test(id));
  if (source) throw new Error(`Vite measured sources instead of what is published: ${source}.`);
  return scripts.reduce((sum, { code }) => sum + gzipSync(code).length, 0);
}

/** In the order of the README's sentence. */
export async function measureWithVite() {
  return [await downloaded("app.ts"), await downloaded("full.ts"), await downloaded("full.ts", "zod")];
}

/** As Vite prints it: a kB has 1,000 bytes. Rounded up, so that "at most" is true. */
const kB = (bytes) => Math.ceil(bytes / 1_000);

/**
 * The README says the three figures in one sentence. It is wrong when a page downloads more, and as
 * wrong when it downloads less.
 *
 * @returns {string | undefined} what is to be changed
 */
export function readmeFault(measured) {
  const sentence =
    /A page downloads (\d+) kB gzipped \(Vite, `zod\/mini`\), (\d+) kB with documents, presence and kept positions, and (\d+) kB with `zod`/;
  const readme = readFileSync(join(root, "README.md"), "utf8").replace(/\s+/g, " ");
  const said = sentence.exec(readme)?.slice(1).map(Number);
  if (!said) return "README.md has no sentence on what a page downloads. scripts/size/vite.mjs says how it begins.";
  const expected = measured.map(kB);
  if (said.join() === expected.join()) return undefined;
  return `README.md says ${said.join(", ")} kB for what a page downloads; measured are ${expected.join(", ")} kB (${measured.join(", ")} bytes).`;
}
