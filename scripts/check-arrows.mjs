/**
 * Checks the imports inside each package against the table in layers.mjs, and reports circles of
 * files and folders that import each other. Type imports count as well. `npm run lint` runs the
 * check.
 */
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { pathToFileURL } from "node:url";
import { filesBelow } from "./files.mjs";
import { knownCircles, layers } from "./layers.mjs";
import { root } from "./run.mjs";

const relativeImport = /(?:^|\n)\s*(?:import|export)\b[^;"']*?["'](\.[^"']*)["']|\bimport\(\s*["'](\.[^"']*)["']/g;
const isTest = /\.test(-d)?\.ts$/;

/**
 * @param {ReadonlyMap<string, string>} sources by path below the package's src
 * @param {(typeof layers)["server"]} table
 * @returns {string[]} one sentence for each import that breaks the table
 */
export function violations(sources, table) {
  const layerOf = (path) => table.find(({ files }) => files.some((pattern) => matches(pattern, path)));
  const found = [];
  for (const [path, source] of sources) {
    const layer = layerOf(path);
    if (!layer) {
      found.push(
        `${path} belongs to no layer. Add the file to a layer in scripts/layers.mjs (and in docs/architecture.md).`,
      );
      continue;
    }
    for (const { specifier, target } of importsOf(path, source)) {
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
 * @returns {string[]} one sentence for each pattern of the table that matches no file
 */
export function strayPatterns(paths, table) {
  return table.flatMap(({ name, files }) =>
    files
      .filter((pattern) => !alternatives(pattern).every((each) => paths.some((path) => matches(each, path))))
      .map((pattern) => `The layer ${name} names ${pattern}, which matches no file. Correct scripts/layers.mjs.`),
  );
}

/**
 * @param {ReadonlyMap<string, string>} sources by path below the package's src
 * @param {readonly { files: readonly string[]; why: string }[]} known the circles that may stay,
 *   each as the set of its files
 * @returns {string[]} one sentence for each circle of files, for each pair of folders that import
 *   each other, and for each known circle that no longer exists
 */
export function circles(sources, known = []) {
  const arrows = new Map();
  for (const [path, source] of sources)
    arrows.set(
      path,
      new Set([...importsOf(path, source)].map(({ target }) => target).filter((target) => sources.has(target))),
    );
  const found = knots(arrows);
  const named = new Set(known.map(({ files }) => [...files].sort(alphabetically).join(", ")));
  return [
    ...found
      .filter((files) => !named.delete(files))
      .map(
        (files) =>
          `${files} import each other in a circle. Move what both sides need into a file that imports neither.`,
      ),
    ...[...named].map(
      (files) => `${files} no longer form a circle. Remove the entry from knownCircles in scripts/layers.mjs.`,
    ),
    ...mutualFolders(arrows),
  ];
}

const alphabetically = (one, other) => (one < other ? -1 : 1);

/** The sets of files that reach each other. Each set is sorted and joined to a string. */
function knots(arrows) {
  const reach = new Map([...arrows.keys()].map((from) => [from, reachable(from, arrows)]));
  const sets = [...arrows.keys()]
    .filter((file) => reach.get(file).has(file))
    .map((file) =>
      [...reach.get(file)]
        .filter((other) => reach.get(other).has(file))
        .sort(alphabetically)
        .join(", "),
    );
  return [...new Set(sets)];
}

/** All files that a file reaches through any number of imports. */
function reachable(from, arrows) {
  const seen = new Set();
  const left = [from];
  while (left.length > 0)
    for (const target of arrows.get(left.pop()))
      if (!seen.has(target)) {
        seen.add(target);
        left.push(target);
      }
  return seen;
}

/**
 * Finds pairs of folders that import each other. Files directly in src are entries and assembly and
 * belong to no folder.
 */
function mutualFolders(arrows) {
  const examples = new Map();
  for (const [from, targets] of arrows)
    for (const to of targets) {
      const [one, other] = [folderOf(from), folderOf(to)];
      if (one && other && one !== other) examples.set(`${one} ${other}`, `${from} imports ${to}`);
    }
  return [...examples.keys()].flatMap((pair) => {
    const [one, other] = pair.split(" ");
    const back = examples.get(`${other} ${one}`);
    if (one > other || !back) return [];
    return [`The folders ${one} and ${other} import each other: ${examples.get(pair)}, and ${back}.`];
  });
}

function folderOf(path) {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : undefined;
}

function* importsOf(path, source) {
  for (const [, fromStatement, fromCall] of source.matchAll(relativeImport)) {
    const specifier = fromStatement ?? fromCall;
    yield { specifier, target: posix.join(posix.dirname(path), specifier).replace(/\.js$/, ".ts") };
  }
}

/** Expands a pattern with braces to one pattern for each alternative. */
function alternatives(pattern) {
  const [, before, names, after] = /^([^{]*)\{([^}]*)\}(.*)$/.exec(pattern) ?? [];
  return names === undefined ? [pattern] : names.split(",").map((name) => before + name + after);
}

/**
 * True if the pattern matches the path. `*` and `**` match any text, slashes included; `{a,b}`
 * matches either alternative.
 */
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
    for (const sentence of [
      ...violations(sources, table),
      ...strayPatterns([...sources.keys()], table),
      ...circles(sources, knownCircles[name]),
    ]) {
      console.error(`packages/${name}/src: ${sentence}`);
      process.exitCode = 1;
    }
  }
