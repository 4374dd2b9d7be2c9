import type { Position } from "@holdfast/protocol";
import type { Appended, BrokerLink } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import { type DeviceHolder, readHolder } from "./instance-messages.js";

/**
 * How long the store keeps a table. The instances that have a device in the table renew the lease
 * every hour.
 */
const TTL_MS = 24 * 3_600_000;
const AT_ONCE = 500;

/**
 * Reads and writes the tables of devices. Each user has one table in the broker; the fields name
 * the instance and session of each device. This class holds no state; `DeviceClaims` and
 * `DeviceDirectory` make the decisions.
 */
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
   * Reads the table of a user. Entries of dead instances are left out, and removed from the table
   * in the background.
   */
  async read(userId: string): Promise<{ position: Position; holders: DeviceHolder[] }> {
    const { position, entries } = await this.#link.read(topicOf(userId), { table: true, ttlMs: TTL_MS });
    const holders = [...entries].flatMap(([deviceId, text]) => readHolder(deviceId, text) ?? []);
    if (holders.every(({ instance }) => instance === this.#id)) return { position, holders };
    // The instances are read after the table, so an instance that has written a field by then is in
    // the answer if the instance is alive.
    const alive = await this.#link.instances();
    const dead = holders.filter(({ instance }) => !alive.has(instance));
    if (dead.length > 0) void this.#takeOut(userId, dead, position);
    return { position, holders: holders.filter(({ instance }) => alive.has(instance)) };
  }

  /**
   * Writes the field of a device, or removes it if `holder` is undefined. With `expected`, the
   * write succeeds only if the table is still at that position.
   */
  put(userId: string, deviceId: string, holder: Omit<DeviceHolder, "deviceId"> | undefined, expected?: Position) {
    const value = holder && JSON.stringify(holder);
    const table = { entry: { field: deviceId, value }, ttlMs: TTL_MS };
    return this.#link.publish(topicOf(userId), this.#environment.newId(), "", { table, expected });
  }

  async isAlive(instance: string): Promise<boolean> {
    return (await this.#link.instances()).has(instance);
  }

  /**
   * Reads the positions of many tables, which also renews their leases. The position of a table
   * that the store does not have is undefined.
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
   * Removes dead entries, as long as nothing else changes the table. Another reader may remove the
   * same entries, and an instance that has come back stores the entries again.
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
