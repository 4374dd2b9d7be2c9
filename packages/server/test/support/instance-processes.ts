import { build } from "esbuild";
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, connect, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./until.js";
import type { News, Orders, Told } from "./instance-program.js";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** Bundles `instance-program.ts`, or another program, into a file that Node can run. */
export async function instanceProgram(
  source = new URL("./instance-program.ts", import.meta.url),
): Promise<{ file: string; end: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-instance-"));
  const file = join(folder, "instance.mjs");
  await build({
    entryPoints: [fileURLToPath(source)],
    outfile: file,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    tsconfig: join(root, "tsconfig.json"),
    // CommonJS modules in the bundle call `require` for Node's built-in modules.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "silent",
  });
  return { file, end: async () => rmSync(folder, { recursive: true, force: true }) };
}

/** A server in a process of its own. The process ends when the test process ends. */
export class InstanceProcess {
  readonly #child: ChildProcess;
  #port = 0;
  #next: number | undefined;

  constructor(
    file: string,
    readonly orders: Orders,
    onConfirmed: (...told: Told) => void,
  ) {
    this.#child = fork(file, { stdio: "inherit", execArgv: [] });
    this.#child.on("message", (news: News) => {
      if (news.kind === "listening") this.#port = news.port;
      else if (news.kind === "confirmed") for (const told of news.numbers) onConfirmed(...told);
      else this.#next = news.next;
    });
    this.#child.send(orders);
  }

  get port(): number {
    return this.#port;
  }

  async listening(): Promise<this> {
    await until(() => this.#port > 0, 10_000, "The start of an instance");
    return this;
  }

  /** Stops publishing. Resolves when every pending publication is settled and reported. */
  async stop(): Promise<void> {
    this.#child.send("stop");
    await until(() => this.#next !== undefined, 10_000, "The end of publishing");
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await gone;
    this.#port = 0;
  }
}

/** A load balancer without session affinity: forwards connections to the given ports in turn. */
export class Balancer {
  readonly #server: Server;
  #turn = 0;

  private constructor(ports: () => readonly number[]) {
    this.#server = createServer((client) => {
      const choice = ports();
      const port = choice[this.#turn++ % choice.length];
      if (port === undefined) return void client.resetAndDestroy();
      const server = connect({ port, host: "127.0.0.1" });
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const) {
        one.on("error", () => undefined);
        one.once("close", () => other.destroy());
        one.pipe(other);
      }
      return undefined;
    });
  }

  static async start(ports: () => readonly number[]): Promise<Balancer> {
    const balancer = new Balancer(ports);
    await new Promise<void>((resolve) => balancer.#server.listen(0, "127.0.0.1", resolve));
    return balancer;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    this.#server.close();
  }
}
