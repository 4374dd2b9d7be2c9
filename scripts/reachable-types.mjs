/**
 * Finds types that users can reach from an export but cannot import, because no public entry
 * exports the type. The search walks over declarations: from every export to the types of its
 * parameters, results, properties, type arguments and bases, and from those types on.
 */
import ts from "typescript";

/**
 * @param {ts.Program} program
 * @param {readonly { readonly name: string, readonly file: string }[]} entries the public entries,
 *   with the path of their d.ts
 * @param {(file: string) => boolean} isOurs whether a file belongs to the checked packages
 * @returns {{ readonly name: string, readonly file: string, readonly from: string }[]} `from` is
 *   the export that leads to the type first
 */
export function unexportedTypes(program, entries, isOurs) {
  const checker = program.getTypeChecker();
  const queue = [];
  const seen = new Set();
  for (const { name, file } of entries) {
    for (const symbol of exportsOf(checker, program.getSourceFile(file))) {
      const target = targetOf(checker, symbol);
      if (seen.has(target)) continue;
      seen.add(target);
      queue.push({ symbol: target, from: `${symbol.name} of ${name}` });
    }
  }
  const missing = [];
  // The queue grows during the walk. The walk is breadth-first, so the report names the shortest
  // way to each type.
  for (const { symbol, from } of queue) {
    for (const declaration of symbol.declarations ?? []) {
      for (const named of namedTypes(checker, declaration)) {
        if (seen.has(named)) continue;
        seen.add(named);
        const file = named.declarations?.[0]?.getSourceFile().fileName;
        if (file === undefined || !isOurs(file)) continue;
        if (vanishes(named)) queue.push({ symbol: named, from });
        else missing.push({ name: named.name, file, from });
      }
    }
  }
  return missing;
}

/** @param {ts.TypeChecker} checker @param {ts.SourceFile | undefined} file */
export function exportsOf(checker, file) {
  const module = file && checker.getSymbolAtLocation(file);
  if (!module) throw new Error(`${file?.fileName ?? "A file of the exports that does not exist"} exports nothing`);
  return checker.getExportsOfModule(module);
}

/** Resolves an import or export to the original symbol. */
export function targetOf(checker, symbol) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** The symbols of the types that a declaration names in places that users see. */
function namedTypes(checker, declaration) {
  const found = [];
  const visit = (node) => {
    if (isHidden(node)) return;
    const name = nameOf(node);
    const symbol = name && checker.getSymbolAtLocation(name);
    if (symbol) found.push(targetOf(checker, symbol));
    ts.forEachChild(node, visit);
  };
  visit(declaration);
  return found.filter(({ flags }) => !(flags & ts.SymbolFlags.TypeParameter));
}

function nameOf(node) {
  if (ts.isTypeReferenceNode(node)) return node.typeName;
  if (ts.isTypeQueryNode(node)) return node.exprName;
  if (ts.isImportTypeNode(node)) return node.qualifier;
  return ts.isExpressionWithTypeArguments(node) ? node.expression : undefined;
}

/** True for a member that users do not see: private, named with `#`, or marked @internal. */
export function isHidden(node) {
  if (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) return true;
  if (node.name && ts.isPrivateIdentifier(node.name)) return true;
  return ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal");
}

/**
 * True for a type that needs no name, because users see the result of the type: a computation on
 * type parameters, or the type of a value. The walk checks the types behind such a type.
 */
function vanishes({ flags, declarations }) {
  if (flags & ts.SymbolFlags.Value && !(flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Enum))) return true;
  return declarations.every((declaration) => ts.isTypeAliasDeclaration(declaration) && computes(declaration));
}

function computes({ typeParameters, type }) {
  return typeParameters !== undefined && (ts.isConditionalTypeNode(type) || ts.isIndexedAccessTypeNode(type));
}
