/**
 * Runs a task of turbo.json in every package that has the task: `node scripts/turbo.mjs build
 * --filter=./packages/*`. Prints nothing unless the task fails, and disables turbo's telemetry.
 */
import { run } from "./run.mjs";

/** Lines that turbo and npm print about themselves. The tool that failed prints its own error. */
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
