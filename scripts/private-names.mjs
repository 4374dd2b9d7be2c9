/**
 * Shortens the names of properties in the page's build, if only the parts of the client use these
 * properties. An application's bundler cannot do so, because other code might read the properties.
 * packages/<name>/private-names.json lists the names. scripts/private-names.test.ts checks that
 * shortening is safe: no public type, message, log or part of the platform has a property of that
 * name.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { standIns } from "./stand-ins.mjs";

/**
 * Chooses the short name of each property. All formats use the same choice, so that a function of
 * one build works with a handle of another.
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
    // `v` is a property of superjson's `meta`, which passes through the client, so no property may
    // get this name.
    mangleCache: { v: false },
  });
  return { mangleProps, mangleCache };
}
