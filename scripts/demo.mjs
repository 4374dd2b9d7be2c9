/**
 * `npm run demo`, `demo:devices` and `demo:sync`: builds an example and runs it, in this process
 * and in the folder of the project, which is what the programs of the agents example then work on.
 * PORT and HOST say where; Ctrl-C ends it in good order.
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
