import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { LineSplitter } from "./line-splitter.js";
import type { Launch } from "./programs.js";

export interface AgentProcessOptions {
  /** The folder the program works on. */
  cwd: string;
  /** From SIGTERM to SIGKILL. @default 3000 */
  graceMs?: number;
  onLine: (stream: "stdout" | "stderr", text: string) => void;
  /** Once, after the last line. */
  onExit: (code: number | null, signal: NodeJS.Signals | null) => void;
}

/**
 *            stop()             grace over
 *  running ----------> ending -------------> ending (killed)
 *     |                   |                        |
 *     +-------------------+----------- exit -------+--> ended
 */
type State = { name: "running" } | { name: "ending"; grace: NodeJS.Timeout } | { name: "ended" };

// Long enough for what is left in the pipes; a grandchild that keeps them open must not keep the
// agent from ending.
const DRAIN_MS = 500;

/** One child process: its lines and its end. */
export class AgentProcess {
  readonly pid: number;
  readonly #graceMs: number;
  #state: State = { name: "running" };

  private constructor(pid: number, child: ChildProcessByStdio<null, Readable, Readable>, options: AgentProcessOptions) {
    this.pid = pid;
    this.#graceMs = options.graceMs ?? 3_000;
    for (const stream of ["stdout", "stderr"] as const) {
      const lines = new LineSplitter((text) => options.onLine(stream, text));
      child[stream].on("data", (chunk: Buffer) => lines.push(chunk));
      child[stream].on("end", () => lines.end());
    }
    child.on("exit", () => {
      if (this.#state.name === "ending") clearTimeout(this.#state.grace);
      this.#state = { name: "ended" };
      const drain = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, DRAIN_MS);
      child.on("close", () => clearTimeout(drain));
    });
    // `close` rather than `exit`: it comes when both streams are read to their end, so no line
    // follows the exit.
    child.on("close", (code, signal) => options.onExit(code, signal));
  }

  /** Rejects with the operating system's error when the process cannot be started. */
  static start(launch: Launch, options: AgentProcessOptions): Promise<AgentProcess> {
    return new Promise((resolve, reject) => {
      const child = spawn(launch.command, launch.arguments, {
        cwd: options.cwd,
        // Not the server's environment: an agent has no business with the secrets in it.
        env: { PATH: process.env["PATH"], LANG: "C.UTF-8" },
        stdio: ["ignore", "pipe", "pipe"],
        // A process group of its own: Ctrl-C in the terminal reaches the server, which then ends
        // its agents in good order.
        detached: true,
      });
      child.once("error", reject);
      if (child.pid !== undefined) resolve(new AgentProcess(child.pid, child, options));
    });
  }

  /** Asks the process to end, and ends it if it has not done so when the grace is over. */
  stop(): void {
    if (this.#state.name !== "running") return;
    this.#state = { name: "ending", grace: setTimeout(() => this.kill(), this.#graceMs) };
    signalGroup(this.pid, "SIGTERM");
  }

  kill(): void {
    if (this.#state.name !== "ended") signalGroup(this.pid, "SIGKILL");
  }
}

/** The group is the agent and whatever it started. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It ended in this very moment; its exit is on the way.
  }
}
