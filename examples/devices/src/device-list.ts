import type { SessionEvent } from "@holdfast/server";
import type { Playback } from "./playback.js";
import type { Overview } from "./protocol.js";
import { deviceOf, type DeviceSession, type Realtime } from "./realtime.js";

/**
 * The devices of each user, those that went offline just now included, and the channel that tells of every change. A list is
 * told as a whole: whichever of them arrives last is right.
 */
export class DeviceList {
  readonly #server: Realtime;
  readonly #playback: Playback;
  readonly #byUser = new Map<string, Map<string, DeviceSession>>();

  constructor(server: Realtime, playback: Playback) {
    this.#server = server;
    this.#playback = playback;
    server.onSession(({ type, session }) => this.#note(type, session));
  }

  sessions(userId: string): DeviceSession[] {
    return [...(this.#byUser.get(userId)?.values() ?? [])];
  }

  find(userId: string, deviceId: string): DeviceSession | undefined {
    return this.#byUser.get(userId)?.get(deviceId);
  }

  overview(userId: string): Overview {
    const playing = this.#playback.of(userId);
    const devices = this.sessions(userId).map((session) => ({
      id: deviceOf(session),
      name: session.data.name,
      kind: session.parameters.deviceKind,
      browser: session.identity.claims.loginId,
      online: session.isConnected,
      connectedAt: session.connectedAt,
      lastActiveAt: session.lastActiveAt,
    }));
    return { devices, ...(playing && { playing }) };
  }

  /** Tells all of the user's devices. */
  publish(userId: string): void {
    void this.#server.channel("devices", userId).publish("changed", this.overview(userId));
  }

  #note(what: SessionEvent["type"], session: DeviceSession): void {
    const { userId } = session.identity;
    const deviceId = deviceOf(session);
    const devices = this.#byUser.get(userId) ?? new Map<string, DeviceSession>();
    if (what === "ended") devices.delete(deviceId);
    else devices.set(deviceId, session);
    if (devices.size > 0) this.#byUser.set(userId, devices);
    else this.#byUser.delete(userId);
    // A page that is loaded anew ends the session of its device and opens the next one in one go. Told when both have
    // happened, so that the device is not gone in between, and what it plays not forgotten.
    queueMicrotask(() => {
      if (!this.find(userId, deviceId)) this.#playback.stop(userId, deviceId);
      this.publish(userId);
    });
  }
}
