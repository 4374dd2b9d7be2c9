import { basename } from "node:path";
import ts from "typescript";

/**
 * The exports of stand-ins that cannot be used as those of the same name of the modules they
 * replace, as `path: name`. The modules that use both are checked against the replaced ones only.
 * @param {Map<string, string>} found what `standInsOf` returns
 * @param {string} config the path of the tsconfig.json of the package
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
  /** The types of a module's values, by name. */
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
