import type { Playback } from "./playback.js";
import type { Overview } from "./protocol.js";
import { deviceOf, type DeviceSession, type Realtime } from "./realtime.js";

/**
 * The devices of each user, including recently disconnected devices. Each change is published on
 * the user's channel as the whole list with a number, and the list with the highest number is
 * current. The class does not store the devices, because the server's sessions are the list.
 */
export class DeviceList {
  readonly #server: Realtime;
  readonly #playback: Playback;
  #revision = 0;

  constructor(server: Realtime, playback: Playback) {
    this.#server = server;
    this.#playback = playback;
    server.onSession((event) => {
      // The next event announces the new session of the same device. The device therefore stays on
      // the list while its page is reloaded, and its playback continues.
      if (event.type === "ended" && event.reason === "replaced") return;
      const { userId } = event.session.identity;
      if (event.type === "ended") playback.stop(userId, deviceOf(event.session));
      this.publish(userId);
    });
  }

  sessions(userId: string): DeviceSession[] {
    return this.#server.user(userId).sessions({ away: true });
  }

  find(userId: string, deviceId: string): DeviceSession | undefined {
    return this.sessions(userId).find((session) => deviceOf(session) === deviceId);
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
    return { revision: ++this.#revision, devices, ...(playing && { playing }) };
  }

  /** Publishes the list to all devices of the user. */
  publish(userId: string): void {
    void this.#server.channel("devices", userId).publish("changed", this.overview(userId));
  }
}
