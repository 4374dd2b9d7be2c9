/**
 * Replaces the modules that differ in a page's production build (docs/decisions/0008): each file in
 * a package's src/page stands in for the single file of the same name elsewhere in src.
 */
import { readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/**
 * Maps the path of each replaced file to the path of its stand-in.
 * @param {string} source the path of a package's src
 * @returns {Map<string, string>}
 * @throws if a file of src/page has no namesake or more than one, because the build would then
 *   replace nothing or too much
 */
export function standInsOf(source) {
  const page = join(source, "page");
  const files = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !/\.test(-d)?\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    files
      .filter((path) => dirname(path) === page)
      .map((stand) => {
        const namesakes = files.filter((path) => path !== stand && basename(path) === basename(stand));
        if (namesakes.length !== 1)
          throw new Error(
            `${stand} must stand in for one module, and ${namesakes.length} others have its name. Rename it.`,
          );
        return [namesakes[0], stand];
      }),
  );
}

/**
 * Replaces each module with its stand-in in a bundle of the package's sources. A stand-in may
 * import the module that it replaces.
 * @param {string} source the path of a package's src
 * @returns {import("esbuild").Plugin}
 */
export function standIns(source) {
  const found = standInsOf(source);
  return {
    name: "stand-ins of a page",
    setup({ onResolve }) {
      onResolve({ filter: /^\.\.?\/.*\.js$/ }, ({ path, importer }) => {
        const stand = found.get(resolve(dirname(importer), path.replace(/\.js$/, ".ts")));
        return stand && dirname(importer) !== dirname(stand) ? { path: stand } : undefined;
      });
    },
  };
}
