/**
 * `npm test`: runs every gate and prints one line for each. Only a failed gate prints its output.
 *
 *   node scripts/test.mjs                 all gates
 *   node scripts/test.mjs lint unit       only these
 *
 * The last line counts tests: `N passed, N failed`, with `, N skipped` if there are any. The exit
 * code is 1 if any gate fails. If CI=true, a skipped test or group also fails the run, because no
 * other run would execute the skipped tests.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { filesBelow } from "./files.mjs";
import { find, programs } from "./programs.mjs";
import { root, run } from "./run.mjs";

const results = join(root, ".artifacts");
const counts = { passed: 0, failed: 0, skipped: 0 };
const skips = [];

/**
 * Makes a gate from a command line. Each gate prints one line: the gate's name, its duration in
 * seconds and the `note` that it returns. If the gate fails, its `output` follows.
 */
const command = (line) => async () => {
  const [name, ...args] = line.split(" ");
  const { code, output } = await run(name, args);
  return { ok: code === 0, output };
};

/**
 * The gates in stages. The lanes of a stage run side by side, because many commands use little more
 * than one processor. Tests run alone, because other work on the machine delays tests.
 */
const stages = [
  // The type check reads the packages' sources, so it needs no build.
  [
    { build: command("node scripts/turbo.mjs build") },
    { typecheck: () => lastLine(command("node scripts/typecheck.mjs")) },
  ],
  [
    { lint: command("npm run --silent lint") },
    { format: command("prettier --check --log-level=warn ."), unused: command("knip --no-progress") },
  ],
  [{ unit: () => vitest("unit", ["protocol", "client", "server", "cli", "examples", "scripts", "types"]) }],
  ...Object.keys(programs).map((name) => [{ [name]: () => testsThatNeed(name) }]),
  [
    {
      docs: command("node scripts/docs.mjs --check"),
      surface: command("node scripts/surface.mjs --check"),
      size: () => lastLine(command("node scripts/size.mjs")),
      pkg: command("node scripts/turbo.mjs pkg"),
    },
    { consumer: () => lastLine(command("node scripts/consumer-check.mjs")) },
  ],
];
const gates = Object.assign({}, ...stages.flat());

async function lastLine(start) {
  const { ok, output } = await start();
  return { ok, output, note: ok ? output.split("\n").at(-1) : undefined };
}

async function vitest(name, projects, env = {}, without = []) {
  const file = join(results, `${name}.json`);
  const selected = projects.flatMap((project) => ["--project", project]);
  for (const path of without) selected.push("--exclude", path);
  const reporters = ["--reporter=dot", "--reporter=json", `--outputFile.json=${file}`];
  const { code, output } = await run("vitest", ["run", ...selected, ...reporters], { env });

  const { passed, failed, skipped } = readReport(file);
  counts.passed += passed;
  counts.skipped += skipped.length;
  skips.push(...skipped.map((title) => `skipped test: ${title}`));
  // If a file cannot be loaded, or if an error happens outside any test, the report has no failed
  // test, but the count must show the failure.
  counts.failed += code === 0 ? failed : Math.max(failed, 1);
  const ok = code === 0 && failed === 0;
  return { ok, output: output.replace(noise, "").trim(), note: `${passed} tests` };
}

function readReport(file) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { passed: 0, failed: 0, skipped: [] };
  }
  const skipped = [];
  for (const { name, assertionResults } of report.testResults)
    for (const { status, fullName } of assertionResults)
      if (status !== "passed" && status !== "failed") skipped.push(`${relative(root, name)}: ${fullName}`);
  return { passed: report.numPassedTests, failed: report.numFailedTests, skipped };
}

/** Lines that vitest prints about itself, and the dots of its dot reporter. */
const noise = /^[·x*\-\s]+$|^(Testing types with|Breaking changes might|JSON report written).*$/gm;

/**
 * Runs the test files that need a program. The file name names the program:
 * `restart.chromium.test.ts` needs `chromium`.
 */
async function testsThatNeed(name) {
  const files = ["packages", "examples", "scripts"]
    .flatMap(filesBelow)
    .filter((path) => path.endsWith(`.${name}.test.ts`));
  if (files.length === 0) return { ok: true, note: "no tests" };
  const found = await find(name);
  if ("path" in found) {
    const { env, without } = await others(files, name);
    return vitest(name, [name], { ...env, [programs[name].variable]: found.path }, without);
  }

  // If the program is missing, the tests do not run, and the summary counts the tests as skipped.
  const { stdout } = await run("vitest", ["list", "--project", name]);
  const count = Math.max(stdout.split("\n").filter(Boolean).length, files.length);
  counts.skipped += count;
  skips.push(`skipped group ${name} (${count} tests): ${found.missing}`);
  return { ok: true, mark: "skip", note: `${count} tests` };
}

/**
 * Finds the second program of files that name two, such as `pages.redis.chromium.test.ts`. If the
 * second program is missing, the file does not run and counts as skipped.
 */
async function others(files, name) {
  const [env, without] = [{}, []];
  for (const other of Object.keys(programs)) {
    const both = files.filter((path) => path.endsWith(`.${other}.${name}.test.ts`));
    if (both.length === 0) continue;
    const found = await find(other);
    if ("path" in found) env[programs[other].variable] = found.path;
    else {
      without.push(...both);
      counts.skipped += both.length;
      skips.push(...both.map((path) => `skipped file ${path}: ${found.missing}`));
    }
  }
  return { env, without };
}

async function main(wanted) {
  const unknown = wanted.filter((name) => !Object.hasOwn(gates, name));
  if (unknown.length > 0) {
    console.error(`There is no gate ${unknown.join(", ")}. The gates: ${Object.keys(gates).join(" ")}`);
    return 2;
  }
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });

  const failed = [];
  const runGate = async (name) => {
    const start = performance.now();
    const { ok, output, note, mark = "ok" } = await gates[name]();
    const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(6);
    console.log(`${(ok ? mark : "FAILED").padEnd(6)} ${name.padEnd(10)} ${seconds} s  ${note ?? ""}`.trimEnd());
    if (ok) return;
    failed.push(name);
    console.log(`\n${output}\n`);
  };
  const runLane = async (lane) => {
    for (const name of Object.keys(lane)) if (wanted.length === 0 || wanted.includes(name)) await runGate(name);
  };
  for (const lanes of stages) await Promise.all(lanes.map(runLane));

  console.log("");
  for (const line of skips) console.log(line);
  const strict = process.env.CI === "true" && skips.length > 0;
  if (strict) console.log("CI=true does not allow skipped tests.");
  if (failed.length > 0)
    console.log(`failed: ${failed.join(", ")}   (npm test -- ${failed.join(" ")} runs only these)`);
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
  return failed.length > 0 || strict ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
