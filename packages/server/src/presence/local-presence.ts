import type { RichValue } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";
import { ExpiryQueue } from "../async/expiry-queue.js";
import type { Listing, PresenceRoster } from "./presence-roster.js";

/**
 * A device on the channel that is connected to this instance, or left it within the grace period.
 */
export interface LocalDevice {
  readonly userId: string;
  readonly deviceId: string;
  listing: Listing;
}

/**
 * The devices of one channel that are connected to this instance. A device that leaves stays listed
 * for the grace period, so a page reload does not make the user disappear and reappear. Listings of
 * other instances are in `PresenceRoster`.
 */
export class LocalPresence {
  readonly #graceMs: number;
  readonly #roster: PresenceRoster;
  readonly #list: (attending: LocalDevice, isListed: boolean) => void;
  readonly #devices = new Map<string, Map<string, LocalDevice>>();
  readonly #leaving: ExpiryQueue<LocalDevice>;
  #size = 0;

  /**
   * `list` is called whenever this instance's listing of a device changes. `isListed` is false when
   * the device is removed.
   */
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

  /** The devices of one user. */
  ofUser(userId: string): LocalDevice[] {
    return [...(this.#devices.get(userId)?.values() ?? [])];
  }

  arrive(userId: string, deviceId: string): void {
    const known = this.get(userId, deviceId);
    // The device came back within the grace period, so no leave was reported.
    if (known) return void this.#leaving.delete(known);
    // The device comes from another instance, which may still list it. The stamps and the presence
    // data are kept, because the device is the same.
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

  /**
   * Sets the presence data that other members see for this device. `said` is the data that the
   * client sent. If `value` is undefined, the device shows nothing.
   */
  set(userId: string, deviceId: string, value: RichValue | undefined, said: unknown): void {
    const attending = this.get(userId, deviceId);
    if (!attending) return;
    const text = JSON.stringify(value);
    const { shown, ...others } = attending.listing;
    // If a device repeats its data, for example after a reconnect, the stamp is kept. A new stamp
    // would override another device that has sent newer data since.
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
