/** Checks the imports inside each package against the table in layers.mjs. `npm run lint` runs it. */
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { pathToFileURL } from "node:url";
import { filesBelow } from "./files.mjs";
import { layers } from "./layers.mjs";
import { root } from "./run.mjs";

const relativeImport = /(?:^|\n)\s*(?:import|export)\b[^;"']*?["'](\.[^"']*)["']|\bimport\(\s*["'](\.[^"']*)["']/g;
const isTest = /\.test(-d)?\.ts$/;

/**
 * @param {ReadonlyMap<string, string>} sources by path below the package's src
 * @param {(typeof layers)["server"]} table
 * @returns {string[]} one sentence for each import that goes the wrong way
 */
export function violations(sources, table) {
  const layerOf = (path) => table.find(({ files }) => files.some((pattern) => matches(pattern, path)));
  const found = [];
  for (const [path, source] of sources) {
    const layer = layerOf(path);
    if (!layer) {
      found.push(`${path} belongs to no layer. Give it a place in scripts/layers.mjs (and in docs/architecture.md).`);
      continue;
    }
    for (const [, fromStatement, fromCall] of source.matchAll(relativeImport)) {
      const specifier = fromStatement ?? fromCall;
      const target = posix.join(posix.dirname(path), specifier).replace(/\.js$/, ".ts");
      const other = layerOf(target);
      if (!other || other === layer || layer.uses.includes(other.name)) continue;
      found.push(
        `${path} imports ${specifier}: ${layer.name} may use ${layer.uses.join(", ") || "nothing else"}, ` +
          `not ${other.name}. ${layer.teaches}`,
      );
    }
  }
  return found;
}

/**
 * @param {readonly string[]} paths below the package's src
 * @param {(typeof layers)["server"]} table
 * @returns {string[]} one sentence for each pattern of the table that fits no file
 */
export function strayPatterns(paths, table) {
  return table.flatMap(({ name, files }) =>
    files
      .filter((pattern) => !alternatives(pattern).every((each) => paths.some((path) => matches(each, path))))
      .map((pattern) => `The layer ${name} names ${pattern}, which fits no file. Correct scripts/layers.mjs.`),
  );
}

/** A pattern for each of the names in braces. */
function alternatives(pattern) {
  const [, before, names, after] = /^([^{]*)\{([^}]*)\}(.*)$/.exec(pattern) ?? [];
  return names === undefined ? [pattern] : names.split(",").map((name) => before + name + after);
}

/** `**` is everything, `*` any part of a name or path below, `{a,b}` either. */
function matches(pattern, path) {
  const expression = pattern
    .replace(/[.]/g, "\\.")
    .replace(/\*+/g, ".*")
    .replace(/\{([^}]*)\}/g, (_, names) => `(?:${names.replaceAll(",", "|")})`);
  return new RegExp(`^${expression}$`).test(path);
}

function sourcesOf(name) {
  const folder = `packages/${name}/src`;
  const paths = filesBelow(folder).filter((path) => path.endsWith(".ts") && !isTest.test(path));
  return new Map(paths.map((path) => [path.slice(folder.length + 1), readFileSync(join(root, path), "utf8")]));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  for (const [name, table] of Object.entries(layers)) {
    const sources = sourcesOf(name);
    for (const sentence of [...violations(sources, table), ...strayPatterns([...sources.keys()], table)]) {
      console.error(`packages/${name}/src: ${sentence}`);
      process.exitCode = 1;
    }
  }
