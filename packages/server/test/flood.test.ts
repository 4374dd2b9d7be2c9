import { type ChildProcess, fork } from "node:child_process";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createServer } from "@holdfast/server";
import { afterEach, describe, expect, test, vi } from "vitest";
import { agents, authenticate } from "./support/basic-server.js";
import { goes, waitedMs } from "./flood/machine.mjs";

/** Peers that never authenticate. All are connected before the first is closed. */
const ATTACKERS = 1_000;
const ARRIVE_MS = 4_000;
/**
 * Peers that authenticate during the flood. With 100 of them the 99th percentile leaves out one
 * value, with 50 none.
 */
const VISITS = 100;

/**
 * The limits of G14 (docs/behaviour.md): memory for each attacker, the time until its connection is
 * closed, and the delay that other clients notice.
 */
const MAX_KIB = 128;
const MAX_LIFE_MS = 5_500;
const MAX_P99_MS = 200;
const AUTH_TIMEOUT_MS = 5_000;

goes("first");
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A child process, so that memory and turns of the peers are not counted as the server's. */
function start(name: "attackers" | "visitor"): ChildProcess {
  const child = fork(fileURLToPath(new URL(`flood/${name}.mjs`, import.meta.url)), { execArgv: [] });
  cleanups.push(() => void child.kill("SIGKILL"));
  return child;
}

function told<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as Message));
    child.once("exit", (code) => reject(new Error(`The process ended with ${code}.`)));
  });
}

/** A server on a real port that records the life of each socket, from upgrade to end. */
async function serve() {
  const http = createHttpServer();
  createServer(agents, { authenticate }).attach(http);
  const open = new Set<object>();
  const lives: { from: number; to: number }[] = [];
  http.on("upgrade", (_request, socket) => {
    const from = performance.now();
    open.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      lives.push({ from, to: performance.now() });
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    http.closeAllConnections();
    return new Promise((resolve) => http.close(resolve));
  });
  return { port: (http.address() as AddressInfo).port, open, lives };
}

/**
 * Samples this process, which runs the server, every 25 ms: the resident memory, and the time spent
 * waiting for a core.
 */
function watch(open: ReadonlySet<object>) {
  const seen: { at: number; waitedMs: number }[] = [];
  let highestBytes = 0;
  let mostOpen = 0;
  const look = (): void => {
    seen.push({ at: performance.now(), waitedMs: waitedMs(process.pid) });
    highestBytes = Math.max(highestBytes, process.memoryUsage.rss());
    mostOpen = Math.max(mostOpen, open.size);
  };
  look();
  const timer = setInterval(look, 25);
  const stop = (): void => clearInterval(timer);
  cleanups.push(stop);
  return {
    stop,
    highestBytes: () => highestBytes,
    mostOpen: () => mostOpen,
    /**
     * How long the server waited for a core in this period. The period is extended to the samples
     * around it, because a server that waits takes its samples late.
     */
    waitedMs(from: number, to: number): number {
      if (to <= from) return 0;
      const before = seen.findLast(({ at }) => at <= from) ?? seen[0]!;
      const after = seen.find(({ at }) => at >= to) ?? seen.at(-1)!;
      return after.waitedMs - before.waitedMs;
    },
  };
}

/**
 * Resident memory before the first flood, shared by all tests. Otherwise memory that one flood
 * leaves behind would hide the cost of the next.
 */
let baselineBytes: number | undefined;

async function flood(kind: string) {
  const { port, open, lives } = await serve();
  const [attackers, visitor] = [start("attackers"), start("visitor")];
  const visit = (count: number, overMs: number): Promise<{ tookMs: number[]; error?: string }> => {
    visitor.send({ url: `ws://127.0.0.1:${port}/ws`, server: process.pid, count, overMs });
    return told(visitor);
  };
  // The first connections load and compile code, which is not part of the cost of a peer.
  expect((await visit(20, 200)).error).toBeUndefined();
  await vi.waitFor(() => expect(open.size).toBe(0));
  lives.length = 0;
  collect();
  collect();
  baselineBytes ??= process.memoryUsage.rss();

  const watched = watch(open);
  const staying = kind === "silence" || kind === "a frame that never ends";
  const visits = visit(VISITS, staying ? ARRIVE_MS + AUTH_TIMEOUT_MS : ARRIVE_MS);
  attackers.send({ port, count: ATTACKERS, overMs: ARRIVE_MS, kind });
  const { upgraded } = await told<{ upgraded: number }>(attackers);
  const { tookMs, error } = await visits;
  expect(error).toBeUndefined();
  await vi.waitFor(() => expect(open.size).toBe(0), { timeout: 10_000 });
  watched.stop();

  tookMs.sort((a, b) => a - b);
  const livedMs = lives.map(({ from, to }) => to - from - watched.waitedMs(from + AUTH_TIMEOUT_MS, to));
  return {
    upgraded,
    mostOpen: watched.mostOpen(),
    /** The peak of the memory above the baseline, per attacker, including garbage. */
    kib: (watched.highestBytes() - baselineBytes) / 1_024 / ATTACKERS,
    livedMs: Math.max(...livedMs),
    medianMs: tookMs[VISITS / 2]!,
    p99Ms: tookMs[VISITS * 0.99 - 1]!,
  };
}

async function isBounded(kind: string, annotate: (message: string) => Promise<unknown>): Promise<void> {
  const figures = await flood(kind);
  const shown = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(value < 100 ? 1 : 0)}`);
  await annotate(`${kind}: ${shown.join(", ")}`);
  expect(figures.upgraded).toBe(ATTACKERS);
  expect(figures.kib).toBeLessThanOrEqual(MAX_KIB);
  expect(figures.livedMs).toBeLessThanOrEqual(MAX_LIFE_MS);
  expect(figures.p99Ms).toBeLessThanOrEqual(MAX_P99_MS);
}

describe("a thousand peers that never authenticate", { timeout: 60_000 }, () => {
  test("[HS29] silent peers are closed within 5.5 s and cost at most 128 KiB each; 99 of 100 handshakes of other clients take at most 200 ms", ({
    annotate,
  }) => isBounded("silence", annotate));

  test.for(["a frame that never ends", "pings", "pings of WebSocket", "garbage"])(
    "[HS30] peers that send 64 KiB before `auth` stay within the same limits: %s",
    (kind, { annotate }) => isBounded(kind, annotate),
  );
});
