import { createServer } from "@holdfast/server";
import { COOKIE, type Logins } from "./login.js";
import { devices } from "./protocol.js";

export interface RealtimeOptions {
  /**
   * How long a disconnected device is shown as offline and may continue its session. @default 30000
   */
  sessionResumeMs?: number;
}

/** The WebSocket server: authentication, the data of each session, and access to the lists. */
export function createRealtime(logins: Logins, { sessionResumeMs = 30_000 }: RealtimeOptions = {}) {
  return createServer(devices, {
    // A WebSocket starts as an HTTP request with the cookie that `/login` has set. Only a valid
    // cookie opens a connection. Otherwise the server answers the upgrade with HTTP 401. A page
    // cannot read an HTTP status, so the server accepts a page's upgrade and closes with 4401.
    credentials: { cookie: COOKIE, message: false },
    authenticate: ({ token, source }) => {
      const login = logins.find(source === "cookie" ? token : undefined);
      if (!login) throw new Error("not logged in");
      const { id, userId, sessionId, expiresAt } = login;
      return { userId, expiresAt, claims: { loginId: id, sessionId } };
    },
    // Created once per session. The data is still there when the client reconnects.
    sessionData: ({ parameters }) => ({ name: parameters.deviceName }),
    // Of all browser pages, only this server's own page may connect. Otherwise any site that a user
    // visits could control the user's devices.
    origins: [],
    // A user may join only the channel with the user's own devices.
    authorize: ({ identity, channel, key }) => channel === "devices" && key === identity.userId,
    sessionResumeMs,
  });
}

export type Realtime = ReturnType<typeof createRealtime>;
export type DeviceSession = ReturnType<Realtime["sessions"]>[number];

/**
 * The device id of a session. Always set, because the protocol requires that the client names a
 * device.
 */
export function deviceOf({ id, deviceId = id }: DeviceSession): string {
  return deviceId;
}
