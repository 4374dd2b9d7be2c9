import { redisBroker, type RedisBrokerOptions } from "@holdfast/server/redis";
import type { TestContext } from "vitest";
import type { BrokerInstance } from "../../src/broker/broker.js";
import type { ServerEnvironment } from "../../src/environment.js";
import { nodeEnvironment } from "../../src/environment.js";
import type { Logger } from "../../src/observe/logger.js";
import { type Participant, participate } from "./broker-participant.js";
import { ChaosProxy, type ChaosOptions } from "./chaos-proxy.js";
import { type RedisServer, type RedisStart, startRedis } from "./redis-server.js";

/**
 * Starts Redis servers, proxies and broker participants for one test, and closes them when the test
 * ends, even if the test fails.
 */
export class RedisHarness {
  readonly #ends: (() => Promise<unknown>)[] = [];

  constructor({ onTestFinished }: Pick<TestContext, "onTestFinished">) {
    onTestFinished(async () => {
      // Instances are closed before the servers they are connected to.
      for (const end of this.#ends.reverse()) await end();
    });
  }

  async redis(start: RedisStart = {}): Promise<RedisServer> {
    const server = await startRedis(start);
    this.endsWith(() => server.end());
    return server;
  }

  async proxy(options: ChaosOptions): Promise<ChaosProxy> {
    const proxy = await ChaosProxy.start(options);
    this.endsWith(() => proxy.close());
    return proxy;
  }

  join(options: RedisBrokerOptions | { readonly port: number }, instance: Partial<BrokerInstance> = {}): Participant {
    const broker = redisBroker("port" in options ? { url: `redis://127.0.0.1:${options.port}` } : options);
    const participant = participate(broker, instance);
    this.endsWith(() => participant.link.close());
    return participant;
  }

  endsWith(end: () => Promise<unknown>): void {
    this.#ends.push(end);
  }
}

/** A logger that keeps its lines for assertions. */
export interface RecordingLogger extends Logger {
  readonly lines: { readonly level: string; readonly fields: object; readonly message: string }[];
}

export function recordingLogger(): RecordingLogger {
  const lines: RecordingLogger["lines"] = [];
  const at =
    (level: string) =>
    (fields: object, message: string): void =>
      void lines.push({ level, fields, message });
  return { lines, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** The environment of Node, plus `timers()`: the number of timers that are running. */
export function countingEnvironment(): ServerEnvironment & { readonly timers: () => number } {
  const live = new Set<symbol>();
  const counted = (start: (run: () => void) => () => void, run: () => void, isRepeated = false): (() => void) => {
    const timer = Symbol("timer");
    live.add(timer);
    const cancel = start(() => {
      if (!isRepeated) live.delete(timer);
      run();
    });
    return () => {
      live.delete(timer);
      cancel();
    };
  };
  return {
    ...nodeEnvironment,
    after: (ms, run) => counted((counts) => nodeEnvironment.after(ms, counts), run),
    afterIdle: (ms, run) => counted((counts) => nodeEnvironment.afterIdle(ms, counts), run),
    every: (ms, run) => counted((counts) => nodeEnvironment.every(ms, counts), run, true),
    timers: () => live.size,
  };
}

/** How a promise settled (an error code, or `kept`), and after how many milliseconds. */
export async function outcome(promise: Promise<unknown>): Promise<{ code: string; ms: number }> {
  const start = performance.now();
  const code = await promise.then(
    () => "kept",
    (error: { code?: string }) => error.code ?? "strange",
  );
  return { code, ms: performance.now() - start };
}
