import type { RichValue } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";
import { ExpiryQueue } from "../async/expiry-queue.js";
import type { Listing, PresenceRoster } from "./presence-roster.js";

/** A device that this instance lists. */
export interface LocalDevice {
  readonly userId: string;
  readonly deviceId: string;
  listing: Listing;
}

/**
 * The devices on one channel that are connected to this instance, and those that left a moment ago:
 * they stay listed through the grace, so that whoever reloads a page flickers for nobody.
 */
export class LocalPresence {
  readonly #graceMs: number;
  readonly #roster: PresenceRoster;
  readonly #list: (attending: LocalDevice, isListed: boolean) => void;
  readonly #devices = new Map<string, Map<string, LocalDevice>>();
  readonly #leaving: ExpiryQueue<LocalDevice>;
  #size = 0;

  /** `list`: makes known what this instance says of a device, or that it says nothing any more. */
  constructor(
    environment: ServerEnvironment,
    graceMs: number,
    roster: PresenceRoster,
    list: (attending: LocalDevice, isListed: boolean) => void,
  ) {
    this.#graceMs = graceMs;
    this.#roster = roster;
    this.#list = list;
    this.#leaving = new ExpiryQueue(environment, graceMs, (device) => this.#leave(device));
  }

  get size(): number {
    return this.#size;
  }

  get(userId: string, deviceId: string): LocalDevice | undefined {
    return this.#devices.get(userId)?.get(deviceId);
  }

  *all(): Iterable<LocalDevice> {
    for (const devices of this.#devices.values()) yield* devices.values();
  }

  /** Those of a user. */
  ofUser(userId: string): LocalDevice[] {
    return [...(this.#devices.get(userId)?.values() ?? [])];
  }

  arrive(userId: string, deviceId: string): void {
    const known = this.get(userId, deviceId);
    // Back in time: it was never away.
    if (known) return void this.#leaving.delete(known);
    // It has come from another instance, which may list it still: it is the same device, and shows
    // the same.
    const elsewhere = this.#roster.newest(userId, deviceId);
    const stamp = elsewhere ? 0 : this.#roster.stamp();
    const listing = elsewhere ?? { since: this.#roster.since(userId) ?? stamp, came: stamp, at: 0 };
    const attending = { userId, deviceId, listing };
    const others = this.#devices.get(userId);
    if (others) others.set(deviceId, attending);
    else this.#devices.set(userId, new Map([[deviceId, attending]]));
    this.#size++;
    this.#list(attending, true);
  }

  depart(userId: string, deviceId: string): void {
    const attending = this.get(userId, deviceId);
    if (!attending) return;
    if (this.#graceMs > 0) this.#leaving.add(attending);
    else this.#leave(attending);
  }

  /** What others see of a user from now on, by this device; undefined: nothing. */
  set(userId: string, deviceId: string, value: RichValue | undefined, said: unknown): void {
    const attending = this.get(userId, deviceId);
    if (!attending) return;
    const text = JSON.stringify(value);
    const { shown, ...others } = attending.listing;
    // A device that only repeats itself, as after a reconnect, is not newer than another that has
    // said something since.
    const isSame = value !== undefined && shown?.text === text;
    attending.listing = {
      ...others,
      said: said === undefined ? undefined : { value: said },
      shown: isSame ? shown : value && { value, text },
      ...(!isSame && { at: this.#roster.stamp() }),
    };
    this.#list(attending, true);
  }

  close(): void {
    this.#leaving.clear();
  }

  #leave(attending: LocalDevice): void {
    const { userId, deviceId } = attending;
    const others = this.#devices.get(userId);
    others?.delete(deviceId);
    if (others?.size === 0) this.#devices.delete(userId);
    this.#size--;
    this.#list(attending, false);
  }
}
