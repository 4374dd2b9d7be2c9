import { type Client, presenceOf } from "@holdfast/client";
import { createServer, type DeliveryReport, type Identity } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import { MemoryClients } from "./support/memory-clients.js";
import { player } from "./support/identity-server.js";
import { seededRandom } from "./support/seeded-random.js";
import { ServerHarness } from "./support/server-harness.js";
import { VirtualEnvironment } from "./support/virtual-environment.js";

/** Each seed is one history of users and their devices. `HOLDFAST_SEED=n` runs one seed only. */
const only = process.env["HOLDFAST_SEED"];
const seeds = only === undefined ? Array.from({ length: 40 }, (_, index) => index + 1) : [Number(only)];
const STEPS = 120;
const TOKEN_MS = 90_000;

describe("[FZ2] users with devices, with dropped connections, half-open sockets, replacements, bans and expiring tokens", () => {
  test.each(seeds)(
    "seed %i: no device is connected twice, no banned user is connected, and every send reports each device once",
    async (seed) => {
      const history = new History(seed);
      await history.run();
      expect(await history.end()).toEqual([]);
    },
  );
});

type Definition = typeof player.definition;

/** One device of a user: a client, and the events it received. */
class Device {
  readonly client: Client<Definition>;
  readonly room;
  readonly heard: string[] = [];

  constructor(
    readonly userId: string,
    readonly deviceId: string,
    client: Client<Definition>,
  ) {
    this.client = client;
    this.room = client.channel("room", "a");
    this.room.on("said", () => {});
    presenceOf(this.room).set({ name: userId });
    client.direct.on("hello", (text) => void this.heard.push(text));
  }

  get isReady(): boolean {
    return this.client.status.get().name === "ready";
  }
}

class History {
  readonly #random: () => number;
  readonly #environment = new VirtualEnvironment();
  readonly #net: MemoryClients;
  readonly #server;
  readonly #harness: ServerHarness;
  readonly #devices: Device[] = [];
  readonly #banned = new Set<string>();
  readonly #barred = new Set<string>();
  readonly #reports: Promise<[string[], DeliveryReport]>[] = [];
  #sent = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    const now = this.#environment.now;
    this.#server = createServer(player, {
      environment: this.#environment,
      authenticate: ({ token }): Identity => {
        const userId = token.replace("token-", "");
        if (this.#banned.has(userId)) throw new Error("banned");
        return { userId, expiresAt: now() + TOKEN_MS };
      },
      authorize: ({ identity }) => {
        // Like a database: the state at the time of the query is returned later.
        const allowed = !this.#barred.has(identity.userId);
        if (this.#random() < 0.3) return allowed;
        return new Promise((resolve) => this.#environment.after(this.#random() * 500, () => resolve(allowed)));
      },
      sessionData: () => ({ joined: 0 }),
    });
    this.#harness = new ServerHarness(this.#server, this.#environment);
    this.#net = new MemoryClients(() => this.#harness, this.#random);
    const { clock } = this.#environment;
    for (const [userId, deviceId] of [
      ["ada", "desk"],
      ["ada", "phone"],
      ["ada", "desk"], // the same device a second time: only one of the two may be connected
      ["bob", "desk"],
      ["bob", "tv"],
    ] as const)
      this.#devices.push(new Device(userId, deviceId, this.#net.clientOf(player, userId, clock, { deviceId })));
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step++) {
      await this.#act();
      if (this.#random() < 0.5) await this.#harness.settle();
      else for (let moves = Math.floor(this.#random() * 4); moves > 0; moves--) this.#harness.transport.step();
    }
  }

  async #act(): Promise<void> {
    const roll = this.#random();
    const userId = this.#pick(["ada", "bob"]);
    const user = this.#server.user(userId);
    const sockets = [...this.#net.sockets.keys()];
    const { room, isReady } = this.#pick(this.#devices);
    // The device joins and leaves in between, so that several authorize calls for one channel
    // overlap.
    if (isReady && this.#random() < 0.2) {
      room.leave();
      room.on("said", () => {});
      presenceOf(room).set({ name: userId });
    }
    if (roll < 0.25) this.#send(userId);
    else if (roll < 0.4 && sockets.length > 0) this.#pick(sockets).drop();
    else if (roll < 0.5 && sockets.length > 0) this.#pick(sockets).stall(true);
    else if (roll < 0.62) this.#pick(this.#devices).client.connect();
    else if (roll < 0.66) this.#pick(this.#devices).client.disconnect();
    else if (roll < 0.7) await user.disconnect({ code: this.#pick([4403, 4800]) });
    else if (roll < 0.74) await this.#revoke();
    else if (roll < 0.78) await this.#toggle(this.#barred, userId);
    else if (roll < 0.8) await this.#toggle(this.#banned, userId);
    else {
      await this.#advance(1_000 + this.#random() * 19_000);
      this.#checkBarred();
    }
    this.#check();
  }

  /** `authorize` answers within 500 ms, so no call is pending a second after the last change. */
  #checkBarred(): void {
    for (const { userId, subscriptions } of this.#server.sessions())
      this.#hold(!this.#barred.has(userId ?? "") || subscriptions.length === 0, "a barred user is on no channel");
  }

  #send(userId: string): void {
    const meant = this.#server
      .user(userId)
      .sessions({ away: true })
      .map(({ deviceId }) => deviceId!);
    const text = String(++this.#sent);
    const report = this.#server.user(userId).send("hello", text, { ack: true, timeoutMs: 3_000 });
    this.#reports.push(report.then((settled) => [meant, settled]));
  }

  async #revoke(): Promise<void> {
    const sessions = this.#server.sessions();
    if (sessions.length > 0) await this.#server.session(this.#pick(sessions).id).revoke();
  }

  async #toggle(set: Set<string>, userId: string): Promise<void> {
    if (!set.delete(userId)) set.add(userId);
    if (set === this.#barred) void this.#server.user(userId).reauthorize();
    else if (set.has(userId)) await this.#server.user(userId).disconnect({ code: 4401 });
  }

  readonly #broken: string[] = [];
  #hold(holds: boolean, promise: string): void {
    if (!holds) this.#broken.push(promise);
  }

  /** Checks the guarantees that hold at every moment. */
  #check(): void {
    const live = this.#server.sessions();
    const places = live.map(({ userId, deviceId }) => `${userId}/${deviceId}`);
    this.#hold(new Set(places).size === places.length, "a device has one connection");
    this.#hold(this.#server.stats().sessions.active === live.length, "the stats count the sessions");
    this.#hold(
      live.every(({ userId }) => !this.#banned.has(userId ?? "")),
      "no banned user is connected",
    );
  }

  /** After all faults have ended, checks every guarantee. Returns the violated guarantees. */
  async end(): Promise<string[]> {
    this.#banned.clear();
    this.#barred.clear();
    for (const socket of this.#net.sockets.keys()) socket.stall(false);
    // A client that was refused a channel subscribes to it again on its next connection.
    for (const { client } of this.#devices) {
      client.disconnect();
      client.connect();
    }
    await this.#advance(300_000);

    const ready = this.#devices.filter(({ isReady }) => isReady);
    const places = new Set(ready.map(({ userId, deviceId }) => `${userId}/${deviceId}`));
    this.#hold(
      places.size === 4 && ready.length === 4,
      "every device is connected, and one of the two with the same id",
    );
    const out = this.#devices.find(({ isReady }) => !isReady)?.client.status.get();
    this.#hold(out?.name === "closed" && out.reason.code === 4409, "the other was closed as replaced");

    for (const userId of ["ada", "bob"]) this.#send(userId);
    await this.#advance(4_000);
    for (const [meant, { delivered, failed }] of await Promise.all(this.#reports)) {
      const accounted = [...delivered, ...failed.map(({ deviceId }) => deviceId)].sort();
      this.#hold(accounted.join() === meant.sort().join(), "a send accounts for every device, once");
    }
    const last = await Promise.all(this.#reports.slice(-2));
    this.#hold(
      last.every(([, { failed }]) => failed.length === 0),
      "an event sent after all faults is delivered",
    );
    for (const { heard } of this.#devices)
      this.#hold(new Set(heard).size === heard.length, "no event is delivered twice");

    const list = await this.#server.channel("room", "a").presence.list();
    const shown = list.map(({ userId, devices }) => `${userId}:${[...devices].sort().join()}`).sort();
    this.#hold(
      shown.join(" ") === "ada:desk,phone bob:desk,tv",
      `presence lists the connected devices: ${shown.join(" ")}`,
    );

    for (const { client } of this.#devices) client.disconnect();
    await this.#advance(5_000);
    const closing = this.#server.close();
    await this.#advance(10_000);
    await closing;
    const { connections, sessions, users, channels } = this.#server.stats();
    this.#hold(
      connections.active + sessions.active + sessions.away + users.active + channels.active === 0,
      "no session is left",
    );
    this.#hold(
      this.#harness.transport.size === 0 && this.#environment.timers === 0,
      "no connection and no timer is left",
    );
    return [...new Set(this.#broken)];
  }

  async #advance(ms: number): Promise<void> {
    const until = this.#environment.monotonic() + ms;
    await this.#harness.settle();
    while (this.#environment.runNext(until)) await this.#harness.settle();
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)]!;
  }
}
