/**
 * Measures what a page downloads if an application is built with Vite's default configuration. The
 * README gives the figures in one sentence, and this check compares that sentence with the
 * measurement. The check uses the BUILT packages with the conditions that Vite sets.
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
        name: "choose the application, and the zod that the application imports",
        transformIndexHtml: { order: "pre", handler: (html) => html.replace("app.ts", app) },
        transform: (code, id) => (id.endsWith(`size/${app}`) ? code.replace('"zod/mini"', `"${zod}"`) : undefined),
      },
    ],
    build: { write: false },
  });
  const scripts = output.filter(({ type }) => type === "chunk");
  const inputs = scripts.flatMap(({ moduleIds }) => moduleIds);
  if (!inputs.some((id) => id.endsWith(`size/${app}`))) throw new Error(`Vite did not build ${app}.`);
  const source = inputs.find((id) => /packages\/[a-z]+\/src\//.test(id));
  if (source) throw new Error(`Vite's bundle contains sources instead of published files: ${source}.`);
  return scripts.reduce((sum, { code }) => sum + gzipSync(code).length, 0);
}

/** Returns the three sizes in the order of the README's sentence. */
export async function measureWithVite() {
  return [await downloaded("app.ts"), await downloaded("full.ts"), await downloaded("full.ts", "zod")];
}

/**
 * Converts bytes to Vite's unit: a kB has 1,000 bytes. Rounds up, so that a page never downloads
 * more than the README says.
 */
const kB = (bytes) => Math.ceil(bytes / 1_000);

/**
 * Compares the three figures with the README's sentence. The sentence is wrong if a page downloads
 * more or less than the sentence says.
 *
 * @returns {string | undefined} the correction
 */
export function readmeFault(measured) {
  const sentence =
    /A page downloads (\d+) kB gzipped \(Vite, `zod\/mini`\), (\d+) kB with documents, presence and kept positions, and (\d+) kB with `zod`/;
  const readme = readFileSync(join(root, "README.md"), "utf8").replace(/\s+/g, " ");
  const said = sentence.exec(readme)?.slice(1).map(Number);
  if (!said)
    return "README.md has no sentence on the size of a page. Restore the sentence whose beginning is in scripts/size/vite.mjs.";
  const expected = measured.map(kB);
  if (said.join() === expected.join()) return undefined;
  return `README.md says ${said.join(", ")} kB for what a page downloads; measured are ${expected.join(", ")} kB (${measured.join(", ")} bytes).`;
}
