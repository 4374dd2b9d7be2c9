import type { Position } from "@holdfast/protocol";
import type { Appended, BrokerLink } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import { type DeviceHolder, readHolder } from "./instance-messages.js";

/** Tables whose instance touches them every hour. */
const TTL_MS = 24 * 3_600_000;
const AT_ONCE = 500;

/** Which instance has which device of a user: a table for each user. */
export class DeviceTables {
  readonly #id: string;
  readonly #link: BrokerLink;
  readonly #environment: ServerEnvironment;

  constructor(id: string, link: BrokerLink, environment: ServerEnvironment) {
    this.#id = id;
    this.#link = link;
    this.#environment = environment;
  }

  /**
   * What a table says, without what instances have left behind that are gone. That is taken out by
   * whoever comes upon it.
   */
  async read(userId: string): Promise<{ position: Position; holders: DeviceHolder[] }> {
    const { position, entries } = await this.#link.read(topicOf(userId), { table: true, ttlMs: TTL_MS });
    const holders = [...entries].flatMap(([deviceId, text]) => readHolder(deviceId, text) ?? []);
    if (holders.every(({ instance }) => instance === this.#id)) return { position, holders };
    // Asked after the table was read: who has put something there was alive by then.
    const alive = await this.#link.instances();
    const dead = holders.filter(({ instance }) => !alive.has(instance));
    if (dead.length > 0) void this.#takeOut(userId, dead, position);
    return { position, holders: holders.filter(({ instance }) => alive.has(instance)) };
  }

  /** Without a holder: takes it out. `expected`: only if the table stands there. */
  put(userId: string, deviceId: string, holder: Omit<DeviceHolder, "deviceId"> | undefined, expected?: Position) {
    const value = holder && JSON.stringify(holder);
    const table = { entry: { field: deviceId, value }, ttlMs: TTL_MS };
    return this.#link.publish(topicOf(userId), this.#environment.newId(), "", { table, expected });
  }

  async isAlive(instance: string): Promise<boolean> {
    return (await this.#link.instances()).has(instance);
  }

  /**
   * Where tables stand, which keeps them from running out; undefined for one that the store does
   * not know.
   */
  async positions(userIds: readonly string[]): Promise<Map<string, Position | undefined>> {
    const found = new Map<string, Position | undefined>();
    for (let start = 0; start < userIds.length; start += AT_ONCE) {
      const some = userIds.slice(start, start + AT_ONCE);
      const positions = await this.#link.positions(some.map(topicOf));
      for (const [index, userId] of some.entries()) found.set(userId, positions[index]);
    }
    return found;
  }

  /**
   * As long as nothing else changes: another one that notices does the same, and one that has come
   * back puts its own again.
   */
  async #takeOut(userId: string, dead: readonly DeviceHolder[], from: Position): Promise<void> {
    let expected: Position | undefined = from;
    for (const { deviceId } of dead) {
      const appended: Appended | undefined = await this.put(userId, deviceId, undefined, expected).catch(
        () => undefined,
      );
      expected = appended?.outcome === "conflict" ? undefined : appended?.position;
      if (!expected) return;
    }
  }
}

function topicOf(userId: string): string {
  return `$devices:${userId}`;
}
