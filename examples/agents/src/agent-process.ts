import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { LineSplitter } from "./line-splitter.js";
import type { Launch } from "./programs.js";

export interface AgentProcessOptions {
  /** The working directory of the program. */
  cwd: string;
  /** The time from SIGTERM to SIGKILL, in milliseconds. @default 3000 */
  graceMs?: number;
  onLine: (stream: "stdout" | "stderr", text: string) => void;
  /** Called once, after the last line. */
  onExit: (code: number | null, signal: NodeJS.Signals | null) => void;
}

/**
 *            stop()             grace over
 *  running ----------> ending -------------> ending (killed)
 *     |                   |                        |
 *     +-------------------+----------- exit -------+--> ended
 */
type State = { name: "running" } | { name: "ending"; grace: NodeJS.Timeout } | { name: "ended" };

// The time after the exit in which the rest of the pipes is read. If a grandchild keeps the pipes
// open, the agent counts as ended after this time.
const DRAIN_MS = 500;

/** One child process, with its lines and its exit. */
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
    // `close` and not `exit`, because `close` comes after both streams have been read, so no line
    // follows.
    child.on("close", (code, signal) => options.onExit(code, signal));
  }

  /** Rejects with the operating system's error if the process cannot be started. */
  static start(launch: Launch, options: AgentProcessOptions): Promise<AgentProcess> {
    return new Promise((resolve, reject) => {
      const child = spawn(launch.command, launch.arguments, {
        cwd: options.cwd,
        // Not the server's environment, because agents must not see the server's secrets.
        env: { PATH: process.env["PATH"], LANG: "C.UTF-8" },
        stdio: ["ignore", "pipe", "pipe"],
        // The process leads a separate process group. Ctrl-C in the terminal then reaches only the
        // server, which ends its agents gracefully.
        detached: true,
      });
      child.once("error", reject);
      if (child.pid !== undefined) resolve(new AgentProcess(child.pid, child, options));
    });
  }

  /** Asks the process to end, and kills it after the grace period. */
  stop(): void {
    if (this.#state.name !== "running") return;
    this.#state = { name: "ending", grace: setTimeout(() => this.kill(), this.#graceMs) };
    signalGroup(this.pid, "SIGTERM");
  }

  kill(): void {
    if (this.#state.name !== "ended") signalGroup(this.pid, "SIGKILL");
  }
}

/** The group contains the agent and every process that it started. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has just ended, and its exit event will follow.
  }
}
