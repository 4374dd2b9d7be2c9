/**
 * Turns the functions of a module into arrow functions for the page's build: `const f = (a) => …`
 * is shorter, but the sources are easier to read with `function f(a) { return … }`. Each line keeps
 * its number, so that source maps stay correct.
 *
 * An arrow function exists only after its line has run. If a module calls one of its functions
 * earlier while the module loads, the import fails in every environment, so tests find the mistake.
 * Functions that use `this` or `arguments`, have overloads or assert a type stay unchanged.
 */
import { readFileSync } from "node:fs";
import ts from "typescript";

/**
 * @param {string} text of a module in TypeScript
 * @returns {string}
 */
export function withArrows(text) {
  const source = ts.createSourceFile("module.ts", text, ts.ScriptTarget.ES2022, true);
  const declared = source.statements.filter(ts.isFunctionDeclaration);
  const edits = declared.flatMap((node) => {
    const { name, body, type, asteriskToken } = node;
    const isOverloaded = declared.some((other) => other !== node && other.name?.text === name?.text);
    if (
      !name ||
      !body ||
      asteriskToken ||
      isOverloaded ||
      usesThis(node) ||
      (type && ts.isTypePredicateNode(type) && type.assertsModifier)
    )
      return [];
    const keyword = node.getChildren(source).find(({ kind }) => kind === ts.SyntaxKind.FunctionKeyword);
    const asynchronous = node.modifiers?.find(({ kind }) => kind === ts.SyntaxKind.AsyncKeyword);
    return [
      ...(asynchronous ? [{ from: asynchronous.getStart(source), to: asynchronous.end, put: "" }] : []),
      { from: keyword.getStart(source), to: name.end, put: `const ${name.text} = ${asynchronous ? "async " : ""}` },
      { from: body.getStart(source), to: body.getStart(source), put: "=> " },
      { from: body.end, to: body.end, put: ";" },
    ];
  });
  return edits.reduceRight((result, { from, to, put }) => result.slice(0, from) + put + result.slice(to), text);
}

/** @param {ts.Node} node */
function usesThis(node) {
  if (node.kind === ts.SyntaxKind.ThisKeyword || (ts.isIdentifier(node) && node.text === "arguments")) return true;
  return ts.forEachChild(node, usesThis) ?? false;
}

/**
 * @param {string} source the path of a package's src
 * @returns {import("esbuild").Plugin}
 */
export function arrowFunctions(source) {
  return {
    name: "arrow functions",
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) =>
        path.startsWith(source) ? { contents: withArrows(readFileSync(path, "utf8")), loader: "ts" } : undefined,
      );
    },
  };
}
