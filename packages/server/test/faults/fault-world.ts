import { type BaseOptions, createClient } from "@holdfast/client";
import { createServer, type Server } from "@holdfast/server";
import { redisBroker } from "@holdfast/server/redis";
import { Redis } from "ioredis";
import { setTimeout as delay } from "node:timers/promises";
import { RedisHarness } from "../support/redis-harness.js";
import { RecordingApp } from "../support/recording-app.js";
import { type Accepted, checkEvents, checkEnd } from "../support/event-checker.js";
import { numbers } from "../support/numbers-protocol.js";
import { until } from "../support/until.js";

export type NumbersServer = Server<typeof numbers.definition>;

/** True in `npm run test:faults`, which runs the fault tests in their long form. */
export const isLong = process.env["HOLDFAST_FAULTS"] === "long";

/** Returns the first number in the short form and the second in the long form. */
export function scale(short: number, long: number): number {
  return isLong ? long : short;
}

export interface RunningServer {
  readonly server: NumbersServer;
  readonly port: number;
}

/** A publication that the store has confirmed. */
export interface Confirmed {
  readonly number: number;
  readonly wire: string;
}

/**
 * Real servers, real clients and a real Redis for one fault test. The world records every
 * publication that the store confirmed and every event that a client received. `verify` compares
 * both: each client must have received the stored events once and in order, or a reset.
 */
export class FaultWorld extends RedisHarness {
  readonly actors: RecordingApp[] = [];
  readonly confirmed: Confirmed[] = [];
  readonly refused: { readonly code: string; readonly ms: number }[] = [];
  readonly #publishedAt = new Map<number, number>();
  readonly #truth = new Map<string, Map<number, Accepted>>();
  #numbers = 0;

  async server(redisPort: number, settings: Parameters<typeof createServer>[1] = {}): Promise<RunningServer> {
    const broker = redisBroker({ url: `redis://127.0.0.1:${redisPort}` });
    const server = createServer(numbers, { ...settings, broker } as { broker: typeof broker });
    const listening = await server.listen(0);
    this.endsWith(() => server.close({ graceMs: 0 }));
    return { server, port: listening.port };
  }

  client(port: number, options: Partial<BaseOptions> = {}): RecordingApp["client"] {
    const client = createClient(numbers, { url: `ws://127.0.0.1:${port}/ws`, ...options });
    this.endsWith(async () => client.disconnect());
    return client;
  }

  actor(port: number, options: Partial<BaseOptions> = {}): RecordingApp {
    const name = `c${this.actors.length}`;
    const actor = new RecordingApp(
      name,
      this.client(port, options),
      () => performance.now(),
      () => undefined,
    );
    this.actors.push(actor);
    return actor;
  }

  /** Resolves when every client is subscribed to the channels it wants. */
  async joined(wires: readonly string[]): Promise<void> {
    const isOn = (actor: RecordingApp, wire: string): boolean =>
      !actor.wants(wire) || (actor.seen.get(wire)?.length ?? 0) > 0;
    await until(
      () => this.actors.every((actor) => wires.every((wire) => isOn(actor, wire))),
      20_000,
      "The subscription of every client",
    );
  }

  /** Publishes the next number and records whether the store confirmed or refused it. */
  async publish({ server }: Pick<RunningServer, "server">, wire: string): Promise<number> {
    const number = ++this.#numbers;
    const startedAt = performance.now();
    this.#publishedAt.set(number, startedAt);
    const [, key] = wire.split(":");
    await server
      .channel("feed", key!)
      .publish("number", number)
      .then(
        () => this.confirmed.push({ number, wire }),
        (error: { code?: string }) =>
          this.refused.push({ code: error.code ?? "strange", ms: performance.now() - startedAt }),
      );
    return number;
  }

  /** Records a publication that another process made and the store confirmed. */
  publishedElsewhere(number: number, wire: string, at: number): void {
    this.#publishedAt.set(number, at);
    this.confirmed.push({ number, wire });
  }

  /**
   * Publishes `perSecond` events evenly, in turn over servers and channels, for `seconds` or until
   * `until` returns true.
   */
  async traffic(
    servers: readonly Pick<RunningServer, "server">[],
    wires: readonly string[],
    { perSecond, seconds, until: ended = () => false }: { perSecond: number; seconds: number; until?: () => boolean },
  ): Promise<void> {
    const start = performance.now();
    const pending = new Set<Promise<unknown>>();
    for (let count = 0; count < perSecond * seconds && !ended();) {
      const due = Math.min(perSecond * seconds, ((performance.now() - start) / 1_000) * perSecond);
      for (; count < due; count++) {
        const publishing = this.publish(servers[count % servers.length]!, wires[count % wires.length]!);
        pending.add(publishing);
        void publishing.finally(() => pending.delete(publishing));
      }
      await delay(2);
    }
    await Promise.all(pending);
  }

  /**
   * Reads the channel's log from Redis and adds its events to all events ever seen in the store.
   * Returns the stored numbers in order.
   */
  async readStore(redisPort: number, wire: string): Promise<number[]> {
    const redis = new Redis(redisPort, "127.0.0.1");
    const entries = await redis.xrange(`{holdfast:numbers:${wire}}:log`, "-", "+");
    redis.disconnect();
    // The fields are i (id), p (predecessor), e (entry) and b (body).
    const bodies = entries.map(([, fields]) => fields[7]!);
    const truth = this.#truth.get(wire) ?? new Map<number, Accepted>();
    this.#truth.set(wire, truth);
    const order = bodies.map((body) => (JSON.parse(body) as { data: number }).data);
    for (const [index, number] of order.entries())
      truth.set(number, { number, prev: order[index - 1], publishedAt: this.#publishedAt.get(number) ?? 0 });
    return order;
  }

  /** Returns one sentence for each broken promise to a client or a publisher. */
  async verify(redisPort: number, wires: readonly string[]): Promise<string[]> {
    const broken: string[] = [];
    for (const wire of wires) {
      const order = await this.readStore(redisPort, wire);
      const truth = this.#truth.get(wire)!;
      for (const { number } of this.confirmed.filter((one) => one.wire === wire))
        if (!truth.has(number)) broken.push(`${wire}: ${number} was confirmed but is not in the store`);
      for (const actor of this.actors) {
        const seen = actor.seen.get(wire) ?? [];
        const faults = checkEvents(seen, truth);
        if (actor.wants(wire)) faults.push(...checkEnd(seen, order.at(-1)!));
        broken.push(...faults.map((fault) => `${actor.name} on ${wire}: ${fault}`));
      }
    }
    return broken;
  }

  /**
   * Waits until every client has received the last stored event of each channel, at most `limitMs`
   * per channel. Does not throw on a timeout, because `verify` then names the missing events.
   * Returns the milliseconds waited.
   */
  async caughtUp(redisPort: number, wires: readonly string[], limitMs: number): Promise<number> {
    const start = performance.now();
    for (const wire of wires) {
      const last = (await this.readStore(redisPort, wire)).at(-1)!;
      const hasIt = (actor: RecordingApp): boolean => {
        const end = actor.seen.get(wire)?.at(-1);
        return !actor.wants(wire) || (end?.kind === "event" && end.number === last);
      };
      await until(() => this.actors.every(hasIt), limitMs).catch(() => undefined);
    }
    return performance.now() - start;
  }

  resets(): { readonly reason: string }[] {
    return this.actors.flatMap(({ seen }) =>
      [...seen.values()].flat().flatMap((one) => (one.kind === "reset" ? [one] : [])),
    );
  }

  heard(): number {
    return this.actors.reduce(
      (sum, { seen }) => sum + [...seen.values()].flat().filter(({ kind }) => kind === "event").length,
      0,
    );
  }
}
