import { basename } from "node:path";
import ts from "typescript";

/**
 * Finds exports of stand-ins whose type does not fit the export of the same name in the replaced
 * module, as `path: name`. The compiler checks importing modules only against the replaced modules,
 * not against the stand-ins.
 * @param {Map<string, string>} found the result of `standInsOf`
 * @param {string} config the path of the package's tsconfig.json
 * @returns {string[]}
 */
export function misfitsOf(found, config) {
  const { options } = ts.getParsedCommandLineOfConfigFile(
    config,
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic() {} },
  );
  const program = ts.createProgram([...found.keys(), ...found.values()], options);
  const checker = program.getTypeChecker();
  /** The types of the values that a module exports, by name. */
  const valuesOf = (path) => {
    const file = checker.getSymbolAtLocation(program.getSourceFile(path));
    /** @type {Map<string, ts.Type>} */
    const values = new Map();
    for (const symbol of file ? checker.getExportsOfModule(file) : []) {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      if (target.flags & ts.SymbolFlags.Value) values.set(symbol.name, checker.getTypeOfSymbol(target));
    }
    return values;
  };
  return [...found].flatMap(([replaced, stand]) => {
    const full = valuesOf(replaced);
    return [...valuesOf(stand)]
      .filter(([name, type]) => !full.has(name) || !checker.isTypeAssignableTo(type, full.get(name)))
      .map(([name]) => `${basename(stand)}: ${name}`);
  });
}
