/**
 * How a package ships its sources: once, as `src`, for all of its builds. tsup writes them into the map of every build, which were
 * three fifths of the tarballs. A debugger and a bundler find `src` by the paths in the maps.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, isAbsolute } from "node:path";

/**
 * The same map without the text of its sources, and without the path of the machine that built it: tsup names the file itself by
 * its whole path, in `file` and among its sources.
 *
 * @param {string} text
 * @returns {string}
 */
export function withoutSources(text) {
  const { sourcesContent: _, file: __, ...map } = JSON.parse(text);
  return JSON.stringify({ ...map, sources: map.sources.map((path) => (isAbsolute(path) ? basename(path) : path)) });
}

/**
 * Does it to each map that a build has written.
 * @returns {import("tsup").Options["plugins"][number]}
 */
export const lightMaps = () => ({
  name: "maps without sources",
  buildEnd({ writtenFiles }) {
    for (const { name } of writtenFiles)
      if (name.endsWith(".map")) writeFileSync(name, withoutSources(readFileSync(name, "utf8")));
  },
});
