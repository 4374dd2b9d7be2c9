/**
 * Measures how long an editor waits for its first completion. For each sample a fresh tsserver
 * opens a file whose protocol has 200 requests and lists the completions inside `client.request("`.
 * The samples alternate between the built packages of this checkout and those of another checkout,
 * so that the load of the machine affects both. On Linux the report also has the processor time of
 * tsserver since its start, which depends less on other programs.
 *
 *   node bench/src/completion.mjs <folder of the other checkout, built>
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const REQUESTS = 200;
const STARTS = 7;
const LIMIT_MS = 120_000;

const root = fileURLToPath(new URL("../..", import.meta.url));
const [other] = process.argv.slice(2);
if (other === undefined) throw new Error("Pass the folder of a built checkout to compare with.");

const requests = Array.from(
  { length: REQUESTS },
  (_, index) => `    "group${index % 10}.request${index}": {
      input: z.object({ id: z.string(), count: z.number().optional(), tags: z.array(z.string()), at: z.date() }),
      output: z.object({ ok: z.boolean(), items: z.array(z.object({ name: z.string(), size: z.number().nullable() })) }),
      errors: { FAILED${index}: z.object({ reason: z.enum(["a", "b"]) }) },
    },`,
).join("\n");
const text = `import { createClient } from "@holdfast/client";
import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod";
const protocol = defineProtocol({
  name: "large",
  version: "1.0.0",
  requests: {
${requests}
  },
});
const client = createClient(protocol, { url: "ws://localhost/ws" });
void client.request("");
`;

const folder = mkdtempSync(join(tmpdir(), "holdfast-completion-"));
try {
  const variants = { before: prepare("before", other), after: prepare("after", root) };
  const runs = { before: [], after: [] };
  for (let start = 0; start < STARTS; start++)
    for (const [name, project] of Object.entries(variants)) runs[name].push(await firstCompletion(project));
  for (const figure of ["time", "processor"]) {
    const [before, after] = [runs.before, runs.after].map((all) => all.map((one) => one[figure]));
    if (before.includes(undefined)) continue;
    const show = (values) => `${Math.round(median(values))} ms (${values.map(Math.round).join(" ")})`;
    const less = Math.round((1 - median(after) / median(before)) * 100);
    console.log(`${figure}: before ${show(before)}, after ${show(after)}, ${less} % less`);
  }
  console.log(`medians of ${STARTS} fresh starts`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Makes a project in which the packages are installed without their sources, as in an application.
 * Returns the path of the project.
 */
function prepare(name, checkout) {
  const project = join(folder, name);
  const scope = join(project, "node_modules/@holdfast");
  mkdirSync(scope, { recursive: true });
  for (const part of ["protocol", "client"])
    for (const what of ["package.json", "dist"])
      cpSync(join(checkout, "packages", part, what), join(scope, part, what), { recursive: true });
  symlinkSync(join(root, "node_modules/zod"), join(project, "node_modules/zod"));
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  const compilerOptions = { module: "NodeNext", target: "ES2022", lib: ["ES2023"], types: [], strict: true };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["app.ts"] }));
  writeFileSync(join(project, "app.ts"), text);
  return project;
}

async function firstCompletion(project) {
  // In this repository the package `typescript` only forwards to `@typescript/old`, which contains
  // tsserver.
  const tsserver = join(root, "node_modules/@typescript/old/lib/tsserver.js");
  const child = spawn(process.execPath, [tsserver, "--disableAutomaticTypingAcquisition"], { cwd: project });
  const timer = setTimeout(() => child.kill(), LIMIT_MS);
  const file = join(project, "app.ts");
  const lines = readFileSync(file, "utf8").split("\n");
  const line = lines.findIndex((one) => one.startsWith("void client.request(")) + 1;
  const ask = (seq, command, args) =>
    child.stdin.write(`${JSON.stringify({ seq, type: "request", command, arguments: args })}\n`);
  const started = performance.now();
  ask(1, "open", { file });
  ask(2, "completionInfo", { file, line, offset: 'void client.request("'.length + 1 });
  try {
    for await (const message of createInterface({ input: child.stdout })) {
      if (!message.startsWith("{")) continue;
      const { request_seq: answers, body } = JSON.parse(message);
      if (answers !== 2) continue;
      if (body?.entries.length !== REQUESTS)
        throw new Error(`${body?.entries.length} completions instead of ${REQUESTS}`);
      return { time: performance.now() - started, processor: processorMs(child.pid) };
    }
    throw new Error("tsserver returned no completion.");
  } finally {
    clearTimeout(timer);
    child.kill();
  }
}

/**
 * The processor time that a process and its threads have used so far, in milliseconds. Undefined if
 * the system has no /proc.
 */
function processorMs(pid) {
  if (!existsSync(`/proc/${pid}/stat`)) return undefined;
  // The split drops everything up to the program's name, which is in parentheses. User time and
  // system time are the fields 14 and 15 of the whole line, in hundredths of a second.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
