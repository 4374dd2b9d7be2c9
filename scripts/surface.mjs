/**
 * The public surface of each package as text: every export of every entry with its declaration, read from the built d.ts.
 * A change of the surface is then visible in review, and an accidental one fails.
 *
 *   node scripts/surface.mjs            writes docs/surface/<package>.txt
 *   node scripts/surface.mjs --check    fails if they differ
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { packages, root } from "./run.mjs";

/** A schema's inferred type can fill pages; behind this many lines a reader learns nothing more. */
const MAX_LINES = 24;

const checkOnly = process.argv.includes("--check");
const printer = ts.createPrinter({ removeComments: true });
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

function read(path) {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch {
    return undefined;
  }
}

function reportOf(name) {
  const folder = join(root, "packages", name);
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const entries = Object.entries(manifest.exports).filter(([, target]) => target.import);
  const program = ts.createProgram(
    entries.map(([, target]) => join(folder, target.import.types)),
    { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, skipLibCheck: true },
  );
  const sections = entries.map(([entry, target]) => {
    const file = program.getSourceFile(join(folder, target.import.types));
    return `# ${manifest.name}${entry.slice(1)}\n\n${exportsOf(program.getTypeChecker(), file).join("\n")}`;
  });
  return `${sections.join("\n")}\n`;
}

function exportsOf(checker, file) {
  const module = checker.getSymbolAtLocation(file);
  if (!module) throw new Error(`${file.fileName} exports nothing`);
  const lines = checker.getExportsOfModule(module).map((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return [symbol.name, (target.declarations ?? []).map(textOf).join("\n")];
  });
  return lines.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, text]) => `## ${name}\n${text}\n`);
}

function textOf(declaration) {
  // `const a = ...` is declared inside a statement, whose other declarations belong to other exports.
  const text = printer.printNode(ts.EmitHint.Unspecified, declaration, declaration.getSourceFile());
  const lines = text.replace(/^(export )?declare /, "").split("\n");
  const rest = lines.length - MAX_LINES;
  return rest > 0 ? [...lines.slice(0, MAX_LINES), `... ${rest} more lines`].join("\n") : lines.join("\n");
}
