import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, copyFileSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { endianness, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./until.js";
import { redisCommand } from "./redis-command.js";

export interface RedisStart {
  /** Default: a free port. */
  readonly port?: number;
  /** Writes a snapshot on SAVE and on a clean shutdown, and loads it on start. */
  readonly persist?: boolean;
  readonly replicaOf?: number;
  /** Runs as a Sentinel that watches the primary on this port as `main`, with a quorum of one. */
  readonly sentinelOf?: number;
  /** Lets the test set the wall clock of the server. Requires a C compiler. */
  readonly hasClock?: boolean;
  /** More arguments for redis-server. */
  readonly args?: readonly string[];
}

/** The processes to kill when this process exits, even after an error or SIGTERM. */
const running = new Set<ChildProcess>();
const folders = new Set<string>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
// A worker that receives SIGTERM exits here, which triggers the handler above.
process.once("SIGTERM", () => process.exit(143));

/** Starts a redis-server with a folder of its own and waits for the first answer. */
export async function startRedis(start: RedisStart = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-redis-"));
  folders.add(folder);
  const server = new RedisServer(start.port ?? (await freePort()), folder, start);
  await server.start();
  return server;
}

/** A redis-server process that tests can kill, stop and restart on the same port. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #options: RedisStart;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(port: number, folder: string, options: RedisStart) {
    this.port = port;
    this.#folder = folder;
    this.#options = options;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const { persist, replicaOf, sentinelOf, args = [] } = this.#options;
    const program = process.env["REDIS_SERVER"] ?? "redis-server";
    const child = spawn(
      program,
      [
        ...(sentinelOf === undefined ? [] : [this.#sentinelConfiguration(sentinelOf), "--sentinel"]),
        ...["--port", `${this.port}`, "--bind", "127.0.0.1", "--dir", this.#folder, "--loglevel", "warning"],
        // Redis never writes a snapshot by itself: the test decides when. `save ""` would also
        // prevent the snapshot at shutdown.
        ...(sentinelOf === undefined ? ["--save", persist ? "86400 1000000" : "", "--appendonly", "no"] : []),
        ...(replicaOf === undefined
          ? []
          : ["--replicaof", "127.0.0.1", `${replicaOf}`, "--repl-diskless-sync-delay", "0"]),
        ...args,
      ],
      { stdio: "ignore", env: { ...process.env, ...(this.#options.hasClock && this.#withClock()) } },
    );
    this.#child = child;
    running.add(child);
    this.#ended = new Promise((resolve) => child.once("exit", resolve).once("error", resolve));
    void this.#ended.then(() => running.delete(child));
    const isUp = (): Promise<boolean> =>
      this.say("PING").then(
        // NOAUTH also means that the server is up: a password is required.
        (answer) => answer === "PONG" || answer.startsWith("NOAUTH"),
        () => false,
      );
    try {
      await until(isUp, 5_000, "redis-server's start");
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  /** Sets the wall clock of the server, in seconds ahead of the clock of this machine. */
  setClock(seconds: number): void {
    const bytes = Buffer.alloc(8);
    if (endianness() === "LE") bytes.writeBigInt64LE(BigInt(seconds));
    else bytes.writeBigInt64BE(BigInt(seconds));
    // Write in place, because Redis has mapped the file into memory.
    const file = openSync(join(this.#folder, "clock"), "r+");
    writeSync(file, bytes, 0, 8, 0);
    closeSync(file);
  }

  #withClock(): Record<string, string> {
    const library = join(this.#folder, "clock.so");
    const source = fileURLToPath(new URL("./clock.c", import.meta.url));
    execFileSync(process.env["CC"] ?? "cc", ["-shared", "-fPIC", "-O2", "-o", library, source]);
    writeFileSync(join(this.#folder, "clock"), Buffer.alloc(8));
    return { LD_PRELOAD: library, CLOCK_FILE: join(this.#folder, "clock") };
  }

  say(...words: (string | number)[]): Promise<string> {
    return redisCommand(this.port, ...words);
  }

  /** The number of connected clients, without the connection that asks. */
  async clients(): Promise<number> {
    const lines = (await this.say("CLIENT", "LIST")).split("\n");
    return lines.filter((line) => line.startsWith("id=") && !line.includes("cmd=client|list")).length;
  }

  /** Kills the process, as a power failure would. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Suspends the process: no answers, but connections stay open. */
  stop(): void {
    this.#child?.kill("SIGSTOP");
  }

  cont(): void {
    this.#child?.kill("SIGCONT");
  }

  async save(): Promise<void> {
    await this.say("SAVE");
    copyFileSync(join(this.#folder, "dump.rdb"), join(this.#folder, "kept.rdb"));
  }

  /** Kills the server and restarts it with the snapshot of the last `save`. */
  async rollBack(): Promise<void> {
    await this.kill();
    copyFileSync(join(this.#folder, "kept.rdb"), join(this.#folder, "dump.rdb"));
    await this.start();
  }

  /** Sentinel needs a configuration file, to store state found at run time. */
  #sentinelConfiguration(primary: number): string {
    const file = join(this.#folder, "sentinel.conf");
    const lines = [
      `sentinel monitor main 127.0.0.1 ${primary} 1`,
      "sentinel down-after-milliseconds main 500",
      "sentinel failover-timeout main 3000",
    ];
    writeFileSync(file, `${lines.join("\n")}\n`);
    return file;
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
    folders.delete(this.#folder);
  }
}

/**
 * Returns a port below the range that the system uses for outgoing connections, and a different
 * range for each worker. Otherwise another process could take the port while the server is down.
 */
export async function freePort(): Promise<number> {
  const from = 12_000 + (Number(process.env["VITEST_POOL_ID"] ?? 0) % 8) * 2_000;
  for (;;) {
    const port = from + Math.floor(Math.random() * 2_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
