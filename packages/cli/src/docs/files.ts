import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GENERATED } from "./schema-files.js";

/** The files of a reference by their path in the output folder. Paths have forward slashes. */
export type Files = ReadonlyMap<string, string>;

/** The differences between an output folder and the generated files. */
export interface Drift {
  readonly missing: readonly string[];
  readonly changed: readonly string[];
  /** Files of an earlier run for parts that the protocol no longer has. */
  readonly extra: readonly string[];
}

/**
 * Compares a folder with the generated files. Line ends are ignored, because a checkout may change
 * them.
 */
export function compareFiles(folder: string, files: Files): Drift {
  const missing: string[] = [];
  const changed: string[] = [];
  for (const [path, content] of files) {
    const at = join(folder, path);
    if (!existsSync(at)) missing.push(path);
    else if (readFileSync(at, "utf8").replaceAll("\r\n", "\n") !== content) changed.push(path);
  }
  return { missing, changed, extra: leftovers(folder, files) };
}

/**
 * Writes the files that differ and removes files of an earlier run that are no longer generated.
 * Other files stay.
 */
export function writeFiles(folder: string, files: Files): { written: readonly string[]; removed: readonly string[] } {
  const { missing, changed, extra } = compareFiles(folder, files);
  const written = [...missing, ...changed];
  for (const path of written) {
    const at = join(folder, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, files.get(path) as string);
  }
  for (const path of extra) rmSync(join(folder, path));
  return { written, removed: extra };
}

/** Schema files with the generator's mark that are no longer generated. */
function leftovers(folder: string, files: Files): string[] {
  const schemas = join(folder, "schemas");
  if (!existsSync(schemas)) return [];
  return readdirSync(schemas, { recursive: true, encoding: "utf8" })
    .map((path) => `schemas/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".json") && !files.has(path))
    .filter((path) => readFileSync(join(folder, path), "utf8").includes(GENERATED))
    .sort();
}
