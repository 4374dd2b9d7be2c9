/**
 * `npm run test:faults`: runs the long form of every fault test and prints a report.
 *
 *   npm run test:faults                    everything: more than half an hour on two cores
 *   npm run test:faults -- --seeds 5000    fewer histories of the simulation (default 50,000; and a fifth of that number with documents)
 *   npm run test:faults -- cuts kills      only these fault tests, without the simulation
 *
 * If a history fails, the report names its seed. Run `HOLDFAST_SEED=17 npx vitest run --project
 * server simulation` to repeat that history step by step.
 */
import { mkdirSync, readFileSync, rmSync, existsSync } from "node:fs";
import { join } from "node:path";
import { find } from "./programs.mjs";
import { root, run } from "./run.mjs";

/** The longest time that a group may take, in milliseconds (3 hours). */
const MOST_MS = 3 * 3_600_000;

const args = process.argv.slice(2);
const flag = args.indexOf("--seeds");
const seeds = flag < 0 ? 50_000 : Number(args.splice(flag, 2)[1]);
if (!(Number.isInteger(seeds) && seeds > 0 && seeds <= 10_000_000) || args.some((arg) => arg.startsWith("-"))) {
  console.error("usage: npm run test:faults -- [--seeds count] [name of a test file ...]");
  process.exit(2);
}

const results = join(root, ".artifacts");
mkdirSync(results, { recursive: true });
const file = join(results, "faults.jsonl");
rmSync(file, { force: true });
const redis = await find("redis");
if ("missing" in redis) {
  console.error(redis.missing);
  process.exit(1);
}

const env = { HOLDFAST_FAULTS: "long", HOLDFAST_FIGURES: file, REDIS_SERVER: redis.path };
const names = args.length > 0 ? args : [""];
const groups = names.map((name) => ({
  title: `faults ${name}`.trim(),
  line: ["vitest", "run", "--project", "redis", `packages/server/test/faults/${name}`],
  env,
}));
if (args.length === 0)
  groups.push({
    title: `simulation, ${seeds} histories`,
    line: ["vitest", "run", "--project", "server", "packages/server/test/simulation"],
    env: { HOLDFAST_SEEDS: `${seeds}`, HOLDFAST_FIGURES: file },
  });
if (args.length === 0)
  groups.push({
    title: `documents, ${Math.ceil(seeds / 5)} histories`,
    line: ["vitest", "run", "--project", "server", "packages/server/test/document/convergence"],
    env: { HOLDFAST_SEEDS: `${Math.ceil(seeds / 5)}`, HOLDFAST_FIGURES: file },
  });

let failed = 0;
for (const { title, line, env: more } of groups) {
  const start = performance.now();
  const [command, ...rest] = line;
  const { code, output } = await run(command, rest, { env: more, timeoutMs: MOST_MS });
  const took = `${((performance.now() - start) / 1_000).toFixed(0)} s`;
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${title}, ${took}`);
  if (code !== 0) {
    failed++;
    console.log(output);
  }
}

console.log("\nFigures");
const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").filter(Boolean) : [];
for (const line of lines) {
  const { test, ...values } = JSON.parse(line);
  const text = Object.entries(values).map(([name, value]) => `${name} ${value}`);
  console.log(`  ${test}: ${text.join(", ")}`);
}
process.exitCode = failed > 0 ? 1 : 0;
