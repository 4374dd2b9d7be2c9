/**
 * `npm run demo`: builds the agents example and runs it, in this process and in the folder of the project, which is what its
 * programs then work on. PORT and HOST say where; Ctrl-C ends it in good order.
 */
import { root } from "./run.mjs";

process.chdir(root);
await import("../examples/agents/build.mjs");
await import("../examples/agents/dist/main.js");
