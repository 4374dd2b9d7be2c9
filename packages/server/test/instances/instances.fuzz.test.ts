import type { DeliveryReport } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import { authenticate, sessionOf } from "../support/identity-server.js";
import { seededRandom } from "../support/seeded-random.js";
import type { Peer } from "../support/server-harness.js";
import {
  inRoom,
  type GroupInstance,
  type InstanceOptions,
  ROOM,
  InstanceGroup,
  shows,
} from "../support/server-instances.js";

/**
 * Each seed is one history of users on three servers that share a broker. `HOLDFAST_SEED=n` runs
 * only seed n.
 */
const only = process.env["HOLDFAST_SEED"];
const seeds = only === undefined ? Array.from({ length: 60 }, (_, index) => index + 1) : [Number(only)];
const STEPS = 100;
const USERS = ["ada", "bob"];
const DEVICES = ["desk", "phone", "tv"];

describe("[FZ3] users on three instances, with moves, half-open sockets, bans, kills, and a broker that loses announcements and fails", () => {
  test.each(seeds)(
    "seed %i: when all faults have ended, every instance knows the connected devices and the same presence",
    async (seed) => {
      const history = new History(seed);
      await history.run();
      expect(await history.end()).toEqual([]);
    },
  );
});

/** A device of a user, and the connection that the device believes to have. */
interface Place {
  readonly userId: string;
  readonly deviceId: string;
  peer: Peer | undefined;
  at: GroupInstance | undefined;
}

class History {
  readonly #random: () => number;
  readonly #all = new InstanceGroup();
  readonly #banned = new Set<string>();
  /**
   * Bans that rejected because an instance did not answer. The application has to repeat these
   * bans.
   */
  readonly #repeat = new Set<string>();
  readonly #places: Place[] = USERS.flatMap((userId) =>
    DEVICES.map((deviceId) => ({ userId, deviceId, peer: undefined, at: undefined })),
  );
  /**
   * The instance on which each device last opened or resumed a session. A connection whose
   * authentication is slow may open after a newer connection.
   */
  readonly #lastIn = new Map<string, GroupInstance>();
  #hasForgotten = false;
  readonly #broken = new Set<string>();
  readonly #options: InstanceOptions;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#options = {
      authenticate: async (credential) => {
        const identity = authenticate(credential);
        const isBanned = this.#banned.has(identity.userId);
        // Like a database: the answer was true at the time of the question and arrives later.
        if (this.#random() < 0.3)
          await new Promise<void>((resolve) => void this.#all.environment.after(this.#random() * 800, resolve));
        if (isBanned) throw new Error("banned");
        return identity;
      },
    };
    for (let count = 0; count < 3; count++) this.#start();
  }

  async run(): Promise<void> {
    await this.#all.settle();
    for (let step = 0; step < STEPS; step++) {
      await this.#act();
      const rest = this.#random();
      if (rest < 0.4) await this.#all.settle();
      else if (rest < 0.6) await this.#all.advance(this.#random() * 3_000);
    }
  }

  async #act(): Promise<void> {
    const { broker } = this.#all;
    const roll = this.#random();
    const place = this.#pick(this.#places);
    const instance = this.#pick([...this.#all.living]);
    if (roll < 0.4) await this.#enter(place, instance);
    else if (roll < 0.5) place.peer?.socket.drop();
    else if (roll < 0.55) place.peer?.socket.stall(true);
    else if (roll < 0.62) await this.#say(place);
    else if (roll < 0.7) this.#send(instance, place.userId);
    else if (roll < 0.75) this.#ban(instance, place.userId);
    else if (roll < 0.8) this.#banned.delete(place.userId);
    else if (roll < 0.84) this.#kill(instance);
    else if (roll < 0.88) broker.loses = this.#random() < 0.5 ? () => this.#random() < 0.3 : () => false;
    else if (roll < 0.92) broker.isDown = true;
    else if (roll < 0.97) broker.comeBack();
    else if (roll < 0.98 && !broker.isDown) this.#forget();
    else await this.#all.advance(10_000);
  }

  /** Connects a device, usually one that returns. Its old connection may still be open. */
  async #enter(place: Place, instance: GroupInstance): Promise<void> {
    const { userId, deviceId, peer } = place;
    const [greeting] = peer?.of("connected") ?? [];
    if (peer && (!greeting || this.#random() < 0.6)) peer.socket.drop();
    const session = greeting && peer && this.#random() < 0.8 ? { session_id: sessionOf(peer) } : {};
    const name = String(Math.floor(this.#random() * 100));
    // Two connections never begin at the same time, because the servers could not tell which one is
    // newer.
    this.#all.environment.pass(1);
    place.at = instance;
    place.peer = await instance.enter(`${userId}@${deviceId}`, session, ...inRoom(name));
  }

  async #say({ peer }: Place): Promise<void> {
    if (peer && !peer.closed) await peer.send(shows(String(Math.floor(this.#random() * 100))));
  }

  #send(instance: GroupInstance, userId: string): void {
    const sent = instance.user(userId).send("hello", "x", { ack: this.#random() < 0.5, timeoutMs: 2_000 });
    const check = ({ delivered, failed }: DeliveryReport): void => {
      const devices = [...delivered, ...failed.map(({ deviceId }) => deviceId)];
      this.#hold(new Set(devices).size === devices.length, "a report names each device once");
    };
    sent.then(check, (error: { code?: unknown }) =>
      this.#hold(error.code === "UNAVAILABLE", "a send rejects only without a broker"),
    );
  }

  #ban(instance: GroupInstance, userId: string): void {
    this.#banned.add(userId);
    this.#repeat.add(userId);
    const ended = instance.user(userId).disconnect({ code: 4403, reason: "banned" });
    // A killed instance does not answer, so the ban was not confirmed to the application.
    ended.then(
      () => this.#repeat.delete(userId),
      () => undefined,
    );
  }

  /**
   * Orders that had not reached every instance are lost with the store. The loss is logged, and the
   * application has to repeat the orders.
   */
  #forget(): void {
    this.#hasForgotten = true;
    this.#all.broker.forget();
  }

  #kill(instance: GroupInstance): void {
    instance.kill();
    this.#start();
  }

  #start(): void {
    const instance = this.#all.start(this.#options);
    instance.server.onSession(({ type, session: { userId, deviceId } }) => {
      if (type === "opened" || type === "resumed") this.#lastIn.set(`${userId}/${deviceId}`, instance);
    });
  }

  /** Ends all faults, waits, and checks every guarantee. Returns the violated guarantees. */
  async end(): Promise<string[]> {
    const { broker, living } = this.#all;
    broker.loses = () => false;
    broker.comeBack();
    for (const { peers } of living) for (const { socket } of peers) socket.stall(false);
    for (const userId of this.#hasForgotten ? this.#banned : this.#repeat)
      if (this.#banned.has(userId)) await this.#over([...living][0]!.user(userId).disconnect({ code: 4403 }));
    await this.#all.stay(180_000);

    const live = [...living].flatMap((instance) =>
      instance.server.sessions().map((session) => ({ instance, session })),
    );
    const places = live.map(({ session }) => `${session.userId}/${session.deviceId}`);
    this.#hold(new Set(places).size === places.length, `a device has one connection: ${places.sort().join(" ")}`);
    for (const { session } of live) this.#hold(!this.#banned.has(session.userId!), "no banned user is connected");
    for (const { userId, deviceId, peer, at } of this.#places) {
      if (!peer || !living.has(at!) || this.#banned.has(userId)) continue;
      const place = `${userId}/${deviceId}`;
      const isIn = places.includes(place);
      // The replacing connection may have been killed since, and the clients of this test do not
      // reconnect.
      if (!living.has(this.#lastIn.get(place)!)) continue;
      // A closed device was replaced by a newer connection or banned.
      if (peer.closed?.code === 4409) this.#hold(isIn, `a device that was replaced is in: ${place}`);
      else if (!peer.closed && peer.of("connected").length > 0)
        this.#hold(isIn, "a device that was not closed is connected");
    }
    for (const userId of USERS) {
      const truth = places.filter((place) => place.startsWith(userId)).sort();
      for (const { server } of living) {
        const devices = await this.#over(server.user(userId).devices());
        const known = devices?.map(({ id }) => `${userId}/${id}`).sort();
        this.#hold(known?.join() === truth.join(), `devices are true: ${known?.join()} but ${truth.join()}`);
        const report = await this.#over(server.user(userId).send("hello", "last"));
        const delivered = report?.delivered.map((id) => `${userId}/${id}`).sort();
        this.#hold(
          delivered?.join() === truth.join() && report?.failed.length === 0,
          "a message sent at the end arrives",
        );
      }
    }
    const lists = [];
    for (const { server } of living)
      lists.push(JSON.stringify(await this.#over(server.channel("room", "a").presence.list())));
    this.#hold(new Set(lists).size === 1, `presence is the same everywhere: ${lists.join(" ")}`);
    const present = (JSON.parse(lists[0]!) as { userId: string; devices: string[] }[])
      .flatMap(({ userId, devices }) => devices.map((id) => `${userId}/${id}`))
      .sort();
    const joined = live.filter(({ session }) => session.subscriptions.includes(ROOM));
    const truth = joined.map(({ session }) => `${session.userId}/${session.deviceId}`).sort();
    this.#hold(present.join() === truth.join(), `presence is true: ${present.join()} but ${truth.join()}`);

    await this.#all.end();
    this.#hold(this.#all.environment.timers === 0, `nothing stays: ${this.#all.environment.timers} timers`);
    return [...this.#broken];
  }

  /** Awaits the promise while virtual time advances. */
  async #over<Value>(promised: Promise<Value>): Promise<Value | undefined> {
    let result: { readonly value: Value } | undefined;
    promised.then(
      (value) => (result = { value }),
      () => this.#hold(false, "nothing rejects in quiet"),
    );
    for (let tries = 0; !result && tries < 400; tries++) await this.#all.advance(1_000);
    return result?.value;
  }

  #hold(holds: boolean, promise: string): void {
    if (!holds) this.#broken.add(promise);
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)]!;
  }
}
