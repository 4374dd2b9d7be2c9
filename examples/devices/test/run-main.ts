import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Builds what `npm start` runs. */
export function build(): void {
  execFileSync(process.execPath, [path("../build.mjs")], { stdio: "inherit" });
}

export interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  /** All it has printed. */
  output(): string;
}

/** Runs the built server as a process of its own, which a test may kill. */
export async function runMain({ port = 0, data }: { port?: number; data: string }): Promise<Running> {
  const child = spawn(process.execPath, [path("../dist/main.js")], {
    env: { ...process.env, PORT: String(port), DATA: data },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const printed = await new Promise<number>((resolve, reject) => {
    child.once("close", (code) => reject(new Error(`the server ended with ${code}:\n${output}`)));
    child.stdout.on("data", () => {
      const found = /http:\/\/localhost:(\d+)/.exec(output)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
  });
  return { child, port: printed, output: () => output };
}

/** Ends it with a signal and waits until it has ended. */
export async function end({ child }: Running, signal: NodeJS.Signals): Promise<number | null> {
  const gone = once(child, "exit");
  child.kill(signal);
  const [code] = (await gone) as [number | null];
  return code;
}
