import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Guarantees that no agent outlives the server, even if the server is killed. See warden.mjs. */
export class Warden {
  readonly #process: ChildProcess;

  constructor() {
    // The same path from src/ and from the bundle in dist/.
    const script = fileURLToPath(new URL("../src/warden.mjs", import.meta.url));
    this.#process = spawn(process.execPath, ["--max-old-space-size=16", script], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
      env: {},
    });
    // Without the warden the agents still run, and end with the server unless it is killed.
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
