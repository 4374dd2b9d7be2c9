/**
 * Writes the public surface of each package as text: every export of every entry with its
 * declaration, read from the built d.ts. Review then shows each change of the surface, and the
 * check fails after an accidental change. The check also fails if users can reach a type from an
 * export but cannot import the type, because the text does not show this fault.
 *
 *   node scripts/surface.mjs            writes docs/surface/<package>.txt
 *   node scripts/surface.mjs --check    writes nothing; fails if a file differs
 *   ... --in <folder>                   the same for the packages below another folder
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";
import { exportsOf, isHidden, targetOf, unexportedTypes } from "./reachable-types.mjs";
import { root as repository } from "./run.mjs";

/**
 * An inferred schema type can fill pages. After this many lines the rest is left out, because a
 * reader learns nothing more from it.
 */
const MAX_LINES = 24;

/**
 * This entry is not public: a type that only this entry exports counts as a type that users cannot
 * import (docs/decisions/0027).
 */
const INTERNAL = "@holdfast/protocol/internal";

const checkOnly = process.argv.includes("--check");
const inFolder = process.argv.indexOf("--in");
const root = realpathSync(inFolder < 0 ? repository : process.argv[inFolder + 1]);
const printer = ts.createPrinter({ removeComments: true });

const packages = readdirSync(join(root, "packages")).filter((name) =>
  existsSync(join(root, "packages", name, "package.json")),
);
const entries = packages.flatMap(entriesOf);
const program = ts.createProgram(
  entries.map(({ file }) => file),
  { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, skipLibCheck: true },
);
const checker = program.getTypeChecker();

const different = [];
for (const name of packages) {
  const report = reportOf(name);
  const path = `docs/surface/${name}.txt`;
  if (checkOnly) {
    if (read(path) !== report) different.push(path);
    continue;
  }
  mkdirSync(join(root, "docs/surface"), { recursive: true });
  writeFileSync(join(root, path), report);
}
if (different.length > 0) {
  console.error(`The public surface has changed: ${different.join(", ")}.`);
  console.error("Run `npm run surface`, read the difference as a user would, and commit it with the change.");
  process.exitCode = 1;
}

const published = entries.filter(({ name }) => name !== INTERNAL);
const unexported = unexportedTypes(program, published, (file) => /^packages\/[^/]+\/dist\//.test(pathOf(file)));
for (const { name, file, from } of unexported)
  console.error(`${name} (${pathOf(file)}) is reachable from ${from}, and no public entry exports it.`);
if (unexported.length > 0) {
  console.error(
    "Export a type that users may want to name. Otherwise write the type out where it is used, or mark the",
  );
  console.error("member that names it @internal if the member is not part of the API.");
  process.exitCode = 1;
}

function read(path) {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch {
    return undefined;
  }
}

function pathOf(file) {
  return relative(root, file).replaceAll("\\", "/");
}

function entriesOf(name) {
  const folder = join(root, "packages", name);
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return Object.entries(manifest.exports)
    .filter(([, target]) => target.import)
    .map(([entry, target]) => ({
      package: name,
      name: `${manifest.name}${entry.slice(1)}`,
      file: join(folder, target.import.types),
    }));
}

function reportOf(name) {
  const sections = entries
    .filter((entry) => entry.package === name)
    .map((entry) => `# ${entry.name}\n\n${sectionOf(entry.file).join("\n")}`);
  return `${sections.join("\n")}\n`;
}

function sectionOf(file) {
  const lines = exportsOf(checker, program.getSourceFile(file)).map((symbol) => {
    const declarations = targetOf(checker, symbol).declarations ?? [];
    return [symbol.name, declarations.map(textOf).join("\n")];
  });
  return lines.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, text]) => `## ${name}\n${text}\n`);
}

/** Returns a declaration without the members that users do not see. */
function withoutHidden(context) {
  const visit = (node) => (isHidden(node) ? undefined : ts.visitEachChild(node, visit, context));
  return (declaration) => ts.visitEachChild(declaration, visit, context);
}

function textOf(declaration) {
  // Prints the declaration and not its statement, because `const a = ..., b = ...` declares several
  // exports in one statement.
  const { transformed } = ts.transform(declaration, [withoutHidden]);
  const text = printer.printNode(ts.EmitHint.Unspecified, transformed[0], declaration.getSourceFile());
  const lines = text.replace(/^(export )?declare /, "").split("\n");
  const rest = lines.length - MAX_LINES;
  return rest > 0 ? [...lines.slice(0, MAX_LINES), `... ${rest} more lines`].join("\n") : lines.join("\n");
}
