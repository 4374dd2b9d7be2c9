import { isHoldfastError } from "@holdfast/client";
import { createServer } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import { agents, authenticate } from "./support/basic-server.js";
import { MemoryClients } from "./support/memory-clients.js";
import { seededRandom } from "./support/seeded-random.js";
import { ServerHarness } from "./support/server-harness.js";
import { VirtualEnvironment } from "./support/virtual-environment.js";

/**
 * Each seed is one history of clients, dropped connections, restarts and publications.
 * `HOLDFAST_SEED=n` runs one seed only.
 */
const only = process.env["HOLDFAST_SEED"];
const seeds = only === undefined ? Array.from({ length: 60 }, (_, index) => index + 1) : [Number(only)];
const STEPS = 150;
const CHANNELS = ["updates", "log"] as const;

describe("[FZ1] clients and a server, with dropped connections, restarts and requests", () => {
  test.each(seeds)(
    "seed %i: events arrive in order and once, every request settles, every client reconnects, and no state is left",
    async (seed) => {
      const history = new History(seed);
      await history.run();
      expect(await history.end()).toEqual([]);
    },
  );
});

class History {
  readonly #random: () => number;
  readonly #environment = new VirtualEnvironment();
  readonly #net: MemoryClients;
  readonly #clients: Actor[] = [];
  #up: ReturnType<History["start"]>;
  #published = 0;
  #requests: Promise<string>[] = [];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#up = this.start();
    this.#net = new MemoryClients(() => this.#up?.harness, this.#random);
    const { clock } = this.#environment;
    for (const name of ["ada", "bob", "cy"]) this.#clients.push(new Actor(this.#net.client(name, clock)));
  }

  start():
    | { server: ReturnType<typeof createServer<typeof agents.definition>>; harness: ServerHarness; kill: () => void }
    | undefined {
    const environment = this.#environment.process();
    const server = createServer(agents, { environment, authenticate });
    server.handle("agent.start", async ({ input }) => {
      await new Promise<void>((resolve) => this.#environment.after(500, resolve));
      return { startedAt: new Date(input.id.length) };
    });
    server.handle("agent.ping", () => {});
    server.handle(
      "agent.slow",
      ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve("aborted"))),
    );
    return { server: server as never, harness: new ServerHarness(server, this.#environment), kill: environment.kill };
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step++) {
      await this.#act();
      // Frames may still be in flight when the next action happens.
      if (this.#random() < 0.5) await this.#settle();
      else for (let moves = Math.floor(this.#random() * 4); moves > 0; moves--) this.#up?.harness.transport.step();
    }
  }

  async #act(): Promise<void> {
    const roll = this.#random();
    const actor = this.#pick(this.#clients);
    if (roll < 0.3) await this.#publish(this.#pick(CHANNELS));
    else if (roll < 0.45) actor.toggle(this.#pick(CHANNELS));
    else if (roll < 0.6)
      this.#requests.push(actor.request(this.#pick(["agent.start", "agent.ping", "agent.slow"] as const)));
    else if (roll < 0.75) this.#drop();
    else if (roll < 0.8) actor.reconnect();
    else if (roll < 0.83) await this.#restart();
    else await this.#advance(this.#random() * 8_000);
  }

  async #publish(channel: (typeof CHANNELS)[number]): Promise<void> {
    const number = ++this.#published;
    if (channel === "updates") await this.#up?.server.channel("updates").publish("changed", { id: String(number) });
    else await this.#up?.server.channel("log").publish("line", String(number));
  }

  #drop(): void {
    const sockets = [...this.#net.sockets.keys()];
    if (sockets.length > 0) this.#pick(sockets).drop();
  }

  /** Kills the server and starts another within 5 s. */
  async #restart(): Promise<void> {
    for (const socket of [...this.#net.sockets.keys()]) socket.drop();
    this.#up?.kill();
    this.#up = undefined;
    await this.#advance(this.#random() * 5_000);
    this.#up = this.start();
  }

  /** After all faults have ended, checks every guarantee. Returns the violated guarantees. */
  async end(): Promise<string[]> {
    const broken: string[] = [];
    const hold = (holds: boolean, promise: string): void => void (holds || broken.push(promise));

    for (const actor of this.#clients) actor.client.connect();
    await this.#advance(120_000);
    for (const actor of this.#clients) {
      hold(actor.client.status.get().name === "ready", "every client reconnects");
      for (const channel of CHANNELS) hold(actor.heardInOrder(channel), `order on ${channel}, nothing twice`);
    }

    for (const channel of CHANNELS) {
      const before = this.#clients.map((actor) => actor.heard[channel].length);
      await this.#publish(channel);
      await this.#settle();
      this.#clients.forEach((actor, index) => {
        const heard = actor.heard[channel].length - before[index]!;
        hold(heard === Number(actor.wants(channel)), `${channel} reaches exactly those who want it, once`);
      });
      const wanted = this.#clients.filter((actor) => actor.wants(channel)).length;
      hold(this.#up!.server.channel(channel).subscribers === wanted, `the server knows who is on ${channel}`);
    }

    const settled = ["done", "aborted", "CONNECTION_LOST", "TIMEOUT", "NOT_CONNECTED"];
    for (const outcome of await Promise.all(this.#requests))
      hold(settled.includes(outcome), `a request settles, not with ${outcome}`);

    for (const actor of this.#clients) actor.client.disconnect();
    await this.#advance(5_000);
    const closing = this.#up!.server.close();
    await this.#advance(10_000);
    await closing;
    const { connections, subscriptions, requests } = this.#up!.server.stats();
    hold(connections.active + subscriptions.active + requests.inFlight === 0, "no state is left on the server");
    hold(this.#up!.harness.transport.size === 0, "no connection is left");
    hold(this.#environment.timers === 0, "no timer is left");
    return broken;
  }

  async #settle(): Promise<void> {
    if (this.#up) return this.#up.harness.settle();
    for (let tick = 0; tick < 30; tick++) await Promise.resolve();
  }

  async #advance(ms: number): Promise<void> {
    const until = this.#environment.monotonic() + ms;
    await this.#settle();
    while (this.#environment.runNext(until)) await this.#settle();
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)]!;
  }
}

/**
 * An application with one client. It joins and leaves channels, sends requests, and records the
 * events it receives.
 */
class Actor {
  readonly heard: Record<(typeof CHANNELS)[number], number[]> = { updates: [], log: [] };
  readonly #leave = new Map<string, () => void>();

  constructor(readonly client: ReturnType<MemoryClients["client"]>) {}

  toggle(channel: (typeof CHANNELS)[number]): void {
    const leave = this.#leave.get(channel);
    this.#leave.delete(channel);
    if (leave) return leave();
    const off =
      channel === "updates"
        ? this.client.channel("updates").on("changed", ({ id }) => void this.heard.updates.push(Number(id)))
        : this.client.channel("log").on("line", (line) => void this.heard.log.push(Number(line)));
    this.#leave.set(channel, off);
  }

  wants(channel: string): boolean {
    return this.#leave.has(channel);
  }

  /**
   * The outcome of a request in one word. Every request must settle, otherwise the test would hang.
   */
  async request(name: "agent.start" | "agent.ping" | "agent.slow"): Promise<string> {
    try {
      if (name === "agent.start") await this.client.request(name, { id: "a" });
      else if (name === "agent.slow") return await this.client.request(name, undefined, { timeoutMs: 2_000 });
      else await this.client.request(name);
      return "done";
    } catch (error) {
      return isHoldfastError(error) ? error.code : String(error);
    }
  }

  reconnect(): void {
    this.client.disconnect();
    this.client.connect();
  }

  heardInOrder(channel: (typeof CHANNELS)[number]): boolean {
    const numbers = this.heard[channel];
    return numbers.every((number, index) => index === 0 || number > numbers[index - 1]!);
  }
}
