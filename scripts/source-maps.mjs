/**
 * Ships the sources of a package once, as `src`, for all of its builds. tsup writes the sources
 * into the map of every build; these copies made up three fifths of the tarballs. Debuggers and
 * bundlers find `src` by the paths in the maps. The sources of bundled packages are not shipped, so
 * the maps do not name them.
 */
import { decode, encode } from "@jridgewell/sourcemap-codec";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, isAbsolute } from "node:path";

/**
 * Returns the same map without the text of the sources, without bundled packages, and without
 * absolute paths: tsup writes the absolute path of a file on the building machine into `file` and
 * `sources`.
 *
 * @param {string} text
 * @returns {string}
 */
export function lightMap(text) {
  const { sourcesContent: _, file: __, ...map } = JSON.parse(text);
  const isOurs = (/** @type {string} */ path) => !/(^|[/\\])node_modules[/\\]/.test(path);
  const kept = map.sources.filter(isOurs);
  const places = new Map(kept.map((path, place) => [map.sources.indexOf(path), place]));
  const lines = decode(map.mappings).map((line) =>
    line.map((segment) => {
      const [column, source, ...rest] = segment;
      // A segment that has only a column ends the segment before it.
      return places.has(source) ? [column, places.get(source), ...rest] : [column];
    }),
  );
  const light = lines.map((line) => line.filter((segment, at) => segment.length > 1 || line[at - 1]?.length !== 1));
  const sources = kept.map((path) => (isAbsolute(path) ? basename(path) : path));
  return JSON.stringify({ ...map, sources, mappings: encode(light) });
}

/**
 * Returns the same JavaScript without docstrings. esbuild keeps those of class members, and `src`
 * and the d.ts contain them already. Every line keeps its number, so the maps stay valid.
 *
 * @param {string} text
 * @returns {string}
 */
export function withoutDocstrings(text) {
  return text.replace(/^[ \t]*\/\*\*[^]*?\*\/[ \t]*$/gm, (docstring) => docstring.replace(/[^\n]/g, ""));
}

/**
 * A tsup plugin that makes each map of a build light, and removes docstrings from its JavaScript.
 * @returns {import("tsup").Options["plugins"][number]}
 */
export const shipSourcesOnce = () => ({
  name: "sources once",
  buildEnd({ writtenFiles }) {
    for (const { name } of writtenFiles)
      if (name.endsWith(".map")) writeFileSync(name, lightMap(readFileSync(name, "utf8")));
      else if (/\.c?js$/.test(name)) writeFileSync(name, withoutDocstrings(readFileSync(name, "utf8")));
  },
});
