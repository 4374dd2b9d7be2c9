/**
 * `npm run demo`, `demo:devices` and `demo:sync`: builds and runs an example in this process. The
 * working directory is the repository's root, because the programs of the agents example read files
 * there. PORT and HOST set the address. Ctrl-C shuts the example down gracefully.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./run.mjs";

const [name = "agents"] = process.argv.slice(2);
if (!existsSync(join(root, "examples", name, "build.mjs"))) {
  console.error(`There is no example ${name} below examples.`);
  process.exit(2);
}
process.chdir(root);
await import(`../examples/${name}/build.mjs`);
await import(`../examples/${name}/dist/main.js`);
