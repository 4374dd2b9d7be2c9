/**
 * Checks a single tarball: its size, its source maps, its d.ts files and the links of its README.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";

const KB = 1024;
/**
 * The largest compressed size of each package, 5 % above the last measurement. If a package grows
 * beyond this bound, decide whether the growth is worth it before you raise the bound.
 */
const bounds = { protocol: 236 * KB, client: 225 * KB, server: 482 * KB, cli: 154 * KB };

/**
 * @param {{ name: string, size: number, files: { path: string }[] }} packed one entry of the output
 *   of `npm pack --json`
 * @param {string} folder where the package is installed
 * @returns {string[]} one sentence for each fault
 */
export function tarballFaults({ name, size, files }, folder) {
  const bound = bounds[name.replace("@holdfast/", "")];
  const faults = size <= bound ? [] : [`The tarball of ${name} has ${size} bytes, more than its bound of ${bound}.`];
  const maps = files.map(({ path }) => path).filter((path) => path.endsWith(".map"));
  if (maps.length === 0) faults.push(`The tarball of ${name} has no source maps.`);
  for (const map of maps) faults.push(...mapFaults(map, folder).map((fault) => `${name}/${map} ${fault}`));
  // The application's compiler would resolve zod's types with the application's version of zod
  // (docs/decisions/0026).
  for (const path of files.map((file) => file.path).filter((path) => /\.d\.c?ts$/.test(path)))
    if (/["']zod["'/]/.test(readFileSync(join(folder, path), "utf8"))) faults.push(`${name}/${path} imports zod.`);
  const readme = readFileSync(join(folder, "README.md"), "utf8");
  for (const [, target] of readme.matchAll(/\]\(([^)\s]+)\)/g))
    if (!/^(#|https:)/.test(target) && !existsSync(join(folder, target)))
      faults.push(`The README of ${name} links to ${target}, which is not in its tarball.`);
  return faults;
}

/**
 * Checks that a map refers to the sources that the tarball contains as `src`, and does not contain
 * a second copy of these sources.
 */
function mapFaults(map, folder) {
  const { sources, sourcesContent, file = "" } = JSON.parse(readFileSync(join(folder, map), "utf8"));
  const below = dirname(join(folder, map));
  const missing = sources.filter((path) => !existsSync(join(below, path)));
  return [
    ...(sourcesContent ? ["contains the text of its sources, which are also in src."] : []),
    ...(isAbsolute(file) ? [`names ${file}, a path of the machine that built it.`] : []),
    ...missing.map((path) => `names ${path}, which is not in the tarball.`),
  ];
}
