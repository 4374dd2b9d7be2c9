import { readFile, stat } from "node:fs/promises";
import { dirname, extname, relative, resolve } from "node:path";
import { count, files, ownSources, pace } from "./work.mjs";

/**
 * Follows every relative import between the project's modules and reports the module with the most
 * importers.
 */

const MODULES = new Set([".ts", ".js", ".mjs", ".tsx"]);
const IMPORT = /(?:from|import)\s*\(?\s*["']([^"']+)["']/g;
const root = process.cwd();

const importedBy = new Map();
const packages = new Map();
let modules = 0;
let unresolved = 0;

const breathe = pace({ busyMs: 1, restMs: 100 });

for await (const path of files(root, ownSources)) {
  if (!MODULES.has(extname(path))) continue;
  modules++;
  const source = await readFile(path, "utf8").catch(() => "");
  const names = [...source.matchAll(IMPORT)].map(([, name]) => name);
  for (const name of names) {
    if (!name.startsWith(".")) {
      packages.set(name, (packages.get(name) ?? 0) + 1);
      continue;
    }
    const target = await moduleAt(resolve(dirname(path), name));
    if (target === undefined) unresolved++;
    else importedBy.set(target, (importedBy.get(target) ?? 0) + 1);
  }
  console.log(`${relative(root, path)} imports ${names.length === 0 ? "nothing" : names.join(", ")}`);
  await breathe();
}

console.log(`${count(modules)} modules, ${count(packages.size)} packages, ${count(unresolved)} imports are broken.`);
for (const [path, uses] of [...importedBy].sort(([, a], [, b]) => b - a).slice(0, 10)) {
  console.log(`${count(uses).padStart(4)} import ${relative(root, path)}`);
}

/** TypeScript imports name the compiled file: `./x.js` stands for `./x.ts`. */
async function moduleAt(path) {
  for (const candidate of [
    path,
    path.replace(/\.js$/, ".ts"),
    path.replace(/\.js$/, ".tsx"),
    `${path}.ts`,
    `${path}.js`,
  ]) {
    if (
      await stat(candidate).then(
        (found) => found.isFile(),
        () => false,
      )
    )
      return candidate;
  }
  return undefined;
}
