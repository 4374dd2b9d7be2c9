import { readdirSync } from "node:fs";
import { join, sep } from "node:path";
import { root } from "./run.mjs";

const skipped = new Set(["node_modules", "dist", ".turbo"]);

/**
 * All files below a folder of the repository, as paths from the repository's root with forward
 * slashes. Leaves out `node_modules`, `dist` and `.turbo`.
 */
export function filesBelow(folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .filter((entry) => !skipped.has(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path.split(sep).join("/")];
    });
}
