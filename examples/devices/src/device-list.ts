import type { Playback } from "./playback.js";
import type { Overview } from "./protocol.js";
import { deviceOf, type DeviceSession, type Realtime } from "./realtime.js";

/**
 * The devices of each user, including recently disconnected ones, and the channel that announces
 * every change. Each announcement contains the whole list with a number, and the highest number is
 * current. The class stores nothing else, because the server's sessions are the list.
 */
export class DeviceList {
  readonly #server: Realtime;
  readonly #playback: Playback;
  #revision = 0;

  constructor(server: Realtime, playback: Playback) {
    this.#server = server;
    this.#playback = playback;
    server.onSession((event) => {
      // The successor is announced next. A reloaded page is therefore not missing in between, and
      // its playback continues.
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

  /** Announces the list to all devices of the user. */
  publish(userId: string): void {
    void this.#server.channel("devices", userId).publish("changed", this.overview(userId));
  }
}
