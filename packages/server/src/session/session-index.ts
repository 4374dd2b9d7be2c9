import type { ClientSession } from "./client-session.js";

/**
 * Finds the sessions of this instance by id, by user and by device. The index only stores:
 * `Sessions` decides which session of a device stays.
 */
export class SessionIndex {
  readonly #byId = new Map<string, ClientSession>();
  readonly #byUser = new Map<string, Map<string, ClientSession>>();

  get size(): number {
    return this.#byId.size;
  }

  /** The number of users who have a session. */
  get users(): number {
    return this.#byUser.size;
  }

  get(id: string): ClientSession | undefined {
    return this.#byId.get(id);
  }

  all(): ClientSession[] {
    return [...this.#byId.values()];
  }

  ofUser(userId: string): ClientSession[] {
    return [...(this.#byUser.get(userId)?.values() ?? [])];
  }

  device(userId: string, deviceId: string): ClientSession | undefined {
    return this.#byUser.get(userId)?.get(deviceId);
  }

  /** Adds a session. If the device has an older session, the new one takes the device. */
  add(session: ClientSession): void {
    this.#byId.set(session.id, session);
    const { userId, deviceId } = session;
    if (userId === undefined || deviceId === undefined) return;
    const devices = this.#byUser.get(userId);
    if (devices) devices.set(deviceId, session);
    else this.#byUser.set(userId, new Map([[deviceId, session]]));
  }

  remove(session: ClientSession): void {
    this.#byId.delete(session.id);
    const { userId, deviceId } = session;
    const devices = userId === undefined ? undefined : this.#byUser.get(userId);
    // The device may belong to the next session already.
    if (deviceId !== undefined && devices?.get(deviceId) === session) devices.delete(deviceId);
    if (userId !== undefined && devices?.size === 0) this.#byUser.delete(userId);
  }
}
