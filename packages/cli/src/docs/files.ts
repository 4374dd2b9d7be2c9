import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GENERATED } from "./schema-files.js";

/** Files by their path below the folder they belong in, with forward slashes. */
export type Files = ReadonlyMap<string, string>;

/** How a folder differs from what it should hold. */
export interface Drift {
  readonly missing: readonly string[];
  readonly changed: readonly string[];
  /** Written by an earlier run, for something that is no longer in the protocol. */
  readonly extra: readonly string[];
}

/**
 * Compares a folder with what it should hold. Line ends do not count: a checkout may have changed
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
 * Writes what differs and takes away what an earlier run wrote and this one does not. Nothing else
 * is touched.
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

/** Schemas that carry our mark and are not to be written any more. */
function leftovers(folder: string, files: Files): string[] {
  const schemas = join(folder, "schemas");
  if (!existsSync(schemas)) return [];
  return readdirSync(schemas, { recursive: true, encoding: "utf8" })
    .map((path) => `schemas/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".json") && !files.has(path))
    .filter((path) => readFileSync(join(folder, path), "utf8").includes(GENERATED))
    .sort();
}
