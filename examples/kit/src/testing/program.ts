import { type ChildProcess, execFileSync, spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export interface RunningProgram {
  readonly child: ChildProcess;
  readonly port: number;
  /** Everything that the program has printed so far. */
  output(): string;
}

/** Builds the program that `npm start` runs. `folder` is the folder of the example. */
export function buildExample(folder: URL): void {
  execFileSync(process.execPath, [fileURLToPath(new URL("build.mjs", folder))], { stdio: "inherit" });
}

/**
 * Runs a server in a separate process that a test may kill, and waits until the server has printed
 * its address.
 */
export async function runProgram(
  file: URL,
  args: readonly string[],
  { env, ...options }: SpawnOptions,
): Promise<RunningProgram> {
  const child = spawn(process.execPath, [fileURLToPath(file), ...args], {
    ...options,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const port = await new Promise<number>((resolve, reject) => {
    child.once("close", (code) => reject(new Error(`the server ended with ${code}:\n${output}`)));
    child.stdout.on("data", () => {
      const printed = /http:\/\/localhost:(\d+)/.exec(output)?.[1];
      if (printed !== undefined) resolve(Number(printed));
    });
  });
  return { child, port, output: () => output };
}

/** Sends the signal, waits for the end of the process and returns the exit code. */
export async function end({ child }: RunningProgram, signal: NodeJS.Signals): Promise<number | null> {
  const gone = once(child, "exit");
  child.kill(signal);
  const [code] = (await gone) as [number | null];
  return code;
}
