/**
 * Runs a task of turbo.json in every package that has it: `node scripts/turbo.mjs build
 * --filter=./packages/*`. Quiet unless something fails, and without turbo's telemetry.
 */
import { run } from "./run.mjs";

/** What turbo and npm say about themselves; what failed is said by the tool that failed. */
const noise = /^\s*• |: npm error|^\S+: (>.*)?$|^ (Tasks|Cached|  Time): |^\s*$/;

const [task, ...options] = process.argv.slice(2);
const start = performance.now();
const { code, output } = await run("turbo", ["run", task, "--continue", "--output-logs=errors-only", ...options]);
if (code === 0) console.log(`${task}: ok, ${((performance.now() - start) / 1000).toFixed(1)} s`);
else
  console.error(
    output
      .split("\n")
      .filter((line) => !noise.test(line))
      .join("\n"),
  );
process.exitCode = code;
