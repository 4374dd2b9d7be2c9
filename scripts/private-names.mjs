/**
 * The names of properties that the parts of the client use among themselves are shortened in a
 * page's build, which no application's bundler could do: it cannot know that nobody else reads
 * them. packages/<name>/private-names.json lists them. scripts/private-names.test.ts holds each to
 * what makes it safe: no public type, message, log or part of the platform has it.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { standIns } from "./stand-ins.mjs";

/**
 * Which names become which. Found once for all formats, so that a handle made by one of them works
 * with a function of another.
 * @param {string} source the path of a package's src
 * @returns {Promise<{ mangleProps: RegExp, mangleCache: Record<string, string | false> }>} options
 *   of esbuild
 */
export async function shortNames(source) {
  const names = JSON.parse(readFileSync(join(dirname(source), "private-names.json"), "utf8"));
  const mangleProps = new RegExp(`^(${names.join("|")})$`);
  const { mangleCache } = await build({
    entryPoints: [join(source, "index.ts")],
    bundle: true,
    write: false,
    outdir: source,
    format: "esm",
    packages: "external",
    tsconfigRaw: {},
    plugins: [standIns(source)],
    mangleProps,
    // Of superjson's `meta`, which passes through the client.
    mangleCache: { v: false },
  });
  return { mangleProps, mangleCache };
}
