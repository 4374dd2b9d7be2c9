import { keepPositions } from "@holdfast/client";
import { seededRandom } from "../support/seeded-random.js";
import { RecordingApp } from "../support/recording-app.js";
import { type Accepted, checkEvents, checkEnd } from "../support/event-checker.js";
import { numbers, wires } from "../support/numbers-protocol.js";
import { type SimInstance, SimServers } from "../support/sim-servers.js";
import { ResetChecker } from "./reset-checker.js";
import type { AcceptedPublication, Snapshot } from "../support/sim-broker.js";

const CLIENTS = 5;
const STEPS = 80;

/** The result of one history. */
export interface Outcome {
  /** One sentence for each broken promise. Empty if the history holds. */
  readonly broken: string[];
  readonly heard: number;
  readonly resets: number;
  /** Resets that were compared with the store, including resets of clients that had left. */
  readonly resetsChecked: number;
  readonly published: number;
}

/**
 * Simulates one history in virtual time: three servers share a broker, five clients join, leave and
 * reload, connections drop, servers restart, announcements are lost, and the store may be rolled
 * back. At the end all faults stop. Each client must then have received every event that the
 * store accepted, once and in order, or a reset whose reason is true. The same seed repeats the
 * history.
 */
export class Simulation extends SimServers<typeof numbers.definition> {
  readonly #actors: RecordingApp[] = [];
  readonly #stored = new Map<string, Map<string, string>>();
  readonly #publishedAt = new Map<number, number>();
  /** True in a quarter of the histories: the store loses nothing, so `long` must have no reset. */
  readonly #isStoreTrue: boolean;
  readonly #resets: ResetChecker;
  #saved: Snapshot | undefined;
  #numbers = 0;

  constructor(
    readonly seed: number,
    { idsAreOffsets = false } = {},
  ) {
    super(numbers, seededRandom(seed), idsAreOffsets);
    this.#isStoreTrue = this.random() < 0.25;
    this.#resets = new ResetChecker(this.broker, wires, this.environment.monotonic);
    this.net.tap = this.#resets;
    for (let count = 0; count < CLIENTS; count++) this.#actors.push(this.#actor(`c${count}`, count < 2));
  }

  async run(): Promise<Outcome> {
    for (const actor of this.#actors) for (const wire of wires) if (this.random() < 0.7) actor.toggle(wire);
    await this.advance(500);
    for (let step = 0; step < STEPS; step++) {
      this.#act();
      if (this.random() < 0.5) await this.advance(this.random() * 60);
      else for (let moves = Math.floor(this.random() * 5); moves > 0; moves--) await this.move();
    }
    return this.#end();
  }

  #act(): void {
    const roll = this.random();
    const instance = this.pick(this.alive());
    if (roll < 0.5) return this.#burst();
    if (roll < 0.56) return this.pick(this.#actors)!.toggle(this.pick(wires)!);
    if (roll < 0.62) return this.pick([...this.net.sockets.keys()])?.drop();
    if (roll < 0.68) return this.#away(this.pick(this.#actors)!);
    if (roll < 0.71) return this.#reload();
    if (roll < 0.74) return this.restart();
    if (roll < 0.77)
      return this.during(
        3_000,
        () => instance?.link.cut(),
        () => instance?.link.mend(),
      );
    if (roll < 0.81)
      return this.during(
        30_000,
        () => this.deafen(instance, true),
        () => this.deafen(instance, false),
      );
    if (roll < 0.83)
      return this.during(
        5_000,
        () => this.broker.down(),
        () => this.broker.up(),
      );
    if (roll < 0.85) return this.wait(this.random() * 20_000);
    if (this.#isStoreTrue) return this.#burst();
    if (roll < 0.91) return void (this.#saved = this.broker.store.snapshot());
    if (roll < 0.97) return this.#rollBack();
    if (roll < 0.985) return this.broker.store.trim();
    if (roll < 0.99) return this.broker.store.empty();
  }

  #burst(): void {
    const wire = this.pick(wires)!;
    for (let count = 1 + Math.floor(this.random() * 4); count > 0; count--) this.#publish(wire);
  }

  /** Disconnects a client for up to 10 s. */
  #away(actor: RecordingApp): void {
    const { client } = actor;
    client.disconnect();
    // If the page was reloaded meanwhile, another client has taken its place.
    this.later(this.random() * 10_000, () => void (actor.client === client && client.connect()));
  }

  #publish(wire: (typeof wires)[number]): void {
    const instance = this.pick(this.alive());
    if (!instance) return;
    const number = ++this.#numbers;
    this.#publishedAt.set(number, this.environment.monotonic());
    // An error does not tell whether the store has the event. The check reads the store instead.
    this.#handle(instance, wire)
      .publish("number", number)
      .catch(() => undefined);
  }

  #handle({ server }: SimInstance<typeof numbers.definition>, wire: (typeof wires)[number]) {
    return wire === "room:a" ? server.channel("room", "a") : server.channel(wire);
  }

  /**
   * Restores the last snapshot, as when Redis restarts from an older dump or when a replica that
   * lagged is promoted.
   */
  #rollBack(): void {
    if (!this.#saved) return;
    this.broker.store.restore(this.#saved);
    // A roll-back usually breaks the connections, but a proxy can hide it.
    if (this.random() < 0.5)
      this.during(
        1_000,
        () => this.broker.down(),
        () => this.broker.up(),
      );
    else if (this.random() < 0.7) this.#burst();
  }

  /** Closes a page and later opens it again with the positions that the old page stored. */
  #reload(): void {
    const actor = this.pick(this.#actors.slice(0, 2))!;
    const { client } = actor;
    client.disconnect();
    this.later(1 + this.random() * 2_000, () => {
      if (actor.client !== client) return;
      client.disconnect();
      actor.reload(this.#client(actor.name));
    });
  }

  #actor(name: string, keeps: boolean): RecordingApp {
    if (keeps) this.#stored.set(name, new Map());
    // Some clients handle events slowly. Clients that reload do not: an event whose handler had not
    // finished would be delivered again.
    const slow = !keeps && this.random() < 0.5;
    const handling = (): Promise<void> | undefined =>
      slow && this.random() < 0.3
        ? new Promise((resolve) => void this.environment.after(this.random() * 200, resolve))
        : undefined;
    return new RecordingApp(name, this.#client(name), this.environment.monotonic, handling);
  }

  #client(name: string): RecordingApp["client"] {
    const { clock } = this.environment;
    const stored = this.#stored.get(name);
    const positions =
      stored &&
      keepPositions({
        getItem: (key) => stored.get(key) ?? null,
        setItem: (key, value) => void stored.set(key, value),
      });
    return this.net.clientOf(numbers, name, clock, {
      token: undefined,
      positions,
    });
  }

  /**
   * Ends all faults and publishes one more event on each channel, which must reach all members.
   */
  async #end(): Promise<Outcome> {
    this.broker.weather = { ...this.broker.weather, lost: 0, twice: 0, overtaken: 0 };
    await this.advance(40_000);
    for (const { link } of this.alive()) link.isDeaf = false;
    await this.advance(60_000);
    const last = new Map<string, number>();
    for (const wire of wires) {
      this.#publish(wire);
      last.set(wire, this.#numbers);
    }
    await this.advance(5_000);

    const broken: string[] = [];
    const truth = this.#truth();
    for (const actor of this.#actors) {
      const status = actor.client.status.get().name;
      if (status !== "ready") broken.push(`${actor.name} is ${status}, expected ready`);
      for (const wire of wires) {
        const seen = actor.seen.get(wire) ?? [];
        const faults = checkEvents(seen, truth);
        if (actor.wants(wire)) faults.push(...checkEnd(seen, last.get(wire)!));
        if (this.#isStoreTrue && wire === "long" && seen.some(({ kind }) => kind === "reset"))
          faults.push("received a reset although the store lost nothing");
        broken.push(...faults.map((fault) => `${actor.name} on ${wire}: ${fault}`));
      }
    }
    broken.push(...this.#resets.broken);
    const all = this.#actors.flatMap(({ seen }) => [...seen.values()].flat());
    const count = (kind: string): number => all.filter((seen) => seen.kind === kind).length;
    return {
      broken,
      heard: count("event"),
      resets: count("reset"),
      resetsChecked: this.#resets.checked,
      published: this.#numbers,
    };
  }

  #truth(): Map<number, Accepted> {
    const numberOf = ({ publication }: AcceptedPublication): number =>
      (JSON.parse(publication.body) as { data: number }).data;
    const truth = new Map<number, Accepted>();
    for (const accepted of this.broker.store.accepted) {
      const number = numberOf(accepted);
      const { previous } = accepted;
      const publishedAt = this.#publishedAt.get(number)!;
      truth.set(number, { number, prev: previous && numberOf(previous), publishedAt });
    }
    return truth;
  }
}
