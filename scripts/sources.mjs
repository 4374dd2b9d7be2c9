import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root } from "./run.mjs";

/**
 * Maps the name of each entry of our packages to the path of its source, so that a program can run
 * without a build.
 *
 * @returns {{ [name: string]: string }}
 */
export function sourcesByName() {
  const path = join(root, "tsconfig.base.json");
  const { config } = ts.parseConfigFileTextToJson(path, readFileSync(path, "utf8"));
  const { paths } = config.compilerOptions;
  const ours = Object.entries(paths).filter(([name]) => name.startsWith("@holdfast/"));
  return Object.fromEntries(ours.map(([name, [file]]) => [name, join(root, file)]));
}
