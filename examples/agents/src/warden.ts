import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * Keeps the promise that no agent outlives the server, not even one that was killed. See
 * warden.mjs.
 */
export class Warden {
  readonly #process: ChildProcess;

  constructor() {
    // The same place from src/ and from the bundle in dist/.
    const script = fileURLToPath(new URL("../src/warden.mjs", import.meta.url));
    this.#process = spawn(process.execPath, ["--max-old-space-size=16", script], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
      env: {},
    });
    // Without it the agents run all the same, and end with the server in every case but its sudden
    // death.
    this.#process.on("error", () => {});
    this.#process.stdin?.on("error", () => {});
    this.#process.unref();
  }

  watch(pid: number): void {
    this.#process.stdin?.write(`+${pid}\n`);
  }

  release(pid: number): void {
    this.#process.stdin?.write(`-${pid}\n`);
  }

  close(): void {
    this.#process.stdin?.end();
  }
}
