/**
 * How a package ships its sources: once, as `src`, for all of its builds. tsup writes them into the
 * map of every build, which were three fifths of the tarballs. A debugger and a bundler find `src`
 * by the paths in the maps. The sources of bundled packages are not shipped, so the maps do not
 * lead to them.
 */
import { decode, encode } from "@jridgewell/sourcemap-codec";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, isAbsolute } from "node:path";

/**
 * The same map without the text of its sources, without bundled packages, and without the path of
 * the machine that built it: tsup names the file itself by its whole path, in `file` and among its
 * sources.
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
      // A segment with a column alone ends the one in front of it.
      return places.has(source) ? [column, places.get(source), ...rest] : [column];
    }),
  );
  const light = lines.map((line) => line.filter((segment, at) => segment.length > 1 || line[at - 1]?.length !== 1));
  const sources = kept.map((path) => (isAbsolute(path) ? basename(path) : path));
  return JSON.stringify({ ...map, sources, mappings: encode(light) });
}

/**
 * Makes each map light that a build has written.
 * @returns {import("tsup").Options["plugins"][number]}
 */
export const lightMaps = () => ({
  name: "maps without sources",
  buildEnd({ writtenFiles }) {
    for (const { name } of writtenFiles)
      if (name.endsWith(".map")) writeFileSync(name, lightMap(readFileSync(name, "utf8")));
  },
});
