/**
 * The last step of a build removes zod from every published d.ts. Types that the sources infer from
 * a schema (`z.output<typeof ping>`) are written out, and the declarations and imports that only
 * those types needed are deleted. An application can then use any version of zod 4, and its
 * compiler reads a message type instead of inferring the type (docs/decisions/0026).
 *
 *   node ../../scripts/plain-types.mjs        in the folder of a package, after tsup
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import ts from "typescript";

const ZOD = /^zod(\/|$)/;
const WRITTEN_OUT =
  ts.NodeBuilderFlags.NoTruncation | ts.NodeBuilderFlags.InTypeAlias | ts.NodeBuilderFlags.MultilineObjectLiterals;
const printer = ts.createPrinter();

const files = readdirSync("dist", { recursive: true })
  .filter((path) => /\.d\.c?ts$/.test(path))
  .map((path) => resolve("dist", path));
const program = ts.createProgram(files, {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  types: [],
});
const checker = program.getTypeChecker();

// All files are read before the first one is written, because one file may refer to declarations of
// another file.
const texts = files.map((path) => [path, plain(program.getSourceFile(path))]);
for (const [path, text] of texts) if (text !== readFileSync(path, "utf8")) writeFileSync(path, text);

/** Returns the text of a d.ts without zod. */
function plain(file) {
  const imports = file.statements.filter((node) => ts.isImportDeclaration(node) && ZOD.test(node.moduleSpecifier.text));
  if (imports.length === 0) return file.text;
  const names = new Set(imports.flatMap(({ importClause }) => importedNames(importClause)));
  const schemas = file.statements.filter((node) => ts.isVariableStatement(node) && mentions(node, names));
  const inferred = new Set([
    ...names,
    ...schemas.flatMap(({ declarationList }) => declarationList.declarations.map(({ name }) => name.text)),
  ]);
  const edits = [...imports, ...schemas].map((node) => ({ from: node.getFullStart(), to: node.end, text: "" }));
  for (const node of file.statements) {
    if (schemas.includes(node) || imports.includes(node) || !mentions(node, inferred)) continue;
    if (!ts.isTypeAliasDeclaration(node) || node.typeParameters)
      throw new Error(`${file.fileName} would publish a type of zod: ${node.getText().slice(0, 200)}`);
    const type = checker.typeToTypeNode(checker.getTypeAtLocation(node.name), node, WRITTEN_OUT);
    const text = printer.printNode(ts.EmitHint.Unspecified, type, file);
    if (/\bany\b|\bz\./.test(text)) throw new Error(`${node.name.text} could not be expanded: ${text.slice(0, 200)}`);
    edits.push({ from: node.type.getStart(), to: node.type.end, text });
  }
  return edits
    .sort((a, b) => b.from - a.from)
    .reduce((text, { from, to, text: by }) => text.slice(0, from) + by + text.slice(to), file.text)
    .trimStart();
}

/** The names that `import * as z`, `import { z }` and `import z` introduce. */
function importedNames(clause) {
  const { namedBindings, name } = clause ?? {};
  const all = [name, namedBindings?.name, ...(namedBindings?.elements ?? []).map((element) => element.name)];
  return all.flatMap((each) => each?.text ?? []);
}

function mentions(node, names) {
  if (ts.isIdentifier(node)) return names.has(node.text) && !ts.isPropertySignature(node.parent);
  return ts.forEachChild(node, (child) => mentions(child, names) || undefined) ?? false;
}
