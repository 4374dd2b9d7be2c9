import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import ts from "typescript";

/**
 * Reads the comments above the fields of the message schemas, so that the source and the reference
 * describe a field in the same words. The schemas themselves have no descriptions, because a client
 * would have to load the texts.
 *
 * @param {string} folder the folder of the message files
 * @returns {{ [path: string]: string }} the note of each field, by paths such as `auth.data.token`
 */
export function readFieldNotes(folder) {
  const files = new Map(
    readdirSync(folder)
      .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
      .sort()
      .map((name) => [basename(name, ".ts"), parse(join(folder, name))]),
  );
  /** @type {{ [path: string]: string }} */
  const notes = {};
  for (const [name, file] of files) {
    for (const { initializer, statement } of file.constants.values()) {
      const type = messageType(initializer);
      if (type) visit(initializer, type, file);
      else readOptions(initializer, kebab(statement));
    }
    if (file.constants.size === 0) throw new Error(`${name}: no schema found`);
  }
  return notes;

  /** Records the notes of every field that an expression of schemas declares below a path. */
  function visit(node, path, file) {
    if (ts.isIdentifier(node)) {
      const found = lookUp(node.text, file);
      if (found) visit(found.initializer, path, found.file);
    } else if (ts.isObjectLiteralExpression(node)) {
      for (const property of node.properties) {
        if (ts.isSpreadAssignment(property)) visit(property.expression, path, file);
        else record(property, path, file);
      }
    } else if (ts.isArrayLiteralExpression(node)) {
      for (const element of node.elements) visit(element, path, file);
    } else if (ts.isCallExpression(node)) {
      const callee = node.expression;
      const isArray = ts.isPropertyAccessExpression(callee) && callee.name.text === "array";
      // `z.array(x).check(…)`: the schema is on the left of the dot.
      if (ts.isPropertyAccessExpression(callee) && ts.isCallExpression(callee.expression))
        visit(callee.expression, path, file);
      else for (const argument of node.arguments) visit(argument, isArray ? `${path}[]` : path, file);
    }
  }

  function record(property, path, file) {
    const at = `${path}.${property.name.text}`;
    const value = ts.isShorthandPropertyAssignment(property) ? property.name : property.initializer;
    const note = noteOf(property) ?? inherited(value, file);
    // A field that is declared after `...envelope` overrides the field of the envelope.
    if (note) notes[at] = note;
    visit(value, at, file);
  }

  /** If a field has no note, the note of the constant that declares its schema applies. */
  function inherited(node, file) {
    if (ts.isIdentifier(node)) {
      const found = lookUp(node.text, file);
      return found && noteOf(found.statement);
    }
    const [inner] = ts.isCallExpression(node) ? node.arguments : [];
    return inner && ts.isIdentifier(inner) ? inherited(inner, file) : undefined;
  }

  function lookUp(name, file) {
    const here = file.constants.get(name);
    if (here) return { ...here, file };
    const from = files.get(file.imports.get(name));
    const there = from?.constants.get(name);
    return there && { ...there, file: from };
  }

  /** Records the notes of the options in `z.enum([…])` or `[…] as const`. */
  function readOptions(node, name) {
    const isEnum = ts.isCallExpression(node) && node.getText().startsWith("z.enum");
    const list = isEnum ? node.arguments[0] : ts.isAsExpression(node) ? node.expression : undefined;
    for (const option of list?.elements ?? []) {
      const note = noteOf(option);
      if (note) notes[`${name}.${option.text}`] = note;
    }
  }
}

function parse(path) {
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  const constants = new Map();
  const imports = new Map();
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement)) {
      for (const { name } of statement.importClause?.namedBindings?.elements ?? [])
        imports.set(name.text, basename(statement.moduleSpecifier.text, ".js"));
    } else if (ts.isVariableStatement(statement)) {
      for (const { name, initializer } of statement.declarationList.declarations)
        constants.set(name.text, { initializer, statement });
    }
  }
  return { source, constants, imports };
}

/** The type of the message that a schema describes, by its `type: z.literal("…")`. */
function messageType(node) {
  if (!ts.isCallExpression(node)) return undefined;
  const [shape] = node.arguments;
  if (!shape || !ts.isObjectLiteralExpression(shape)) return undefined;
  const type = shape.properties.find((property) => property.name?.text === "type");
  return type?.initializer?.arguments?.[0]?.text;
}

/** The text of the comment before a node, on the same line or above. */
function noteOf(node) {
  const { text } = node.getSourceFile();
  const start = node.getFullStart();
  const ranges = [
    ...(ts.getTrailingCommentRanges(text, start) ?? []),
    ...(ts.getLeadingCommentRanges(text, start) ?? []),
  ];
  const comment = ranges.map(({ pos, end }) => text.slice(pos, end)).findLast((each) => each.startsWith("/**"));
  if (!comment) return undefined;
  const lines = comment.slice(3, -2).split("\n");
  return lines
    .map((line) => line.replace(/^\s*\*? ?/, "").trim())
    .join(" ")
    .trim();
}

function kebab(statement) {
  const name = statement.declarationList.declarations[0].name.text;
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
