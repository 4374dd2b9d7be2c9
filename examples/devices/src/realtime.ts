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
    // cookie opens a connection. Otherwise the upgrade is answered with HTTP 401, or with close
    // code 4401 for the page, which could not read an HTTP status.
    credentials: { cookie: COOKIE, message: false },
    authenticate: ({ token, source }) => {
      const login = logins.find(source === "cookie" ? token : undefined);
      if (!login) throw new Error("not logged in");
      const { id, userId, sessionId, expiresAt } = login;
      return { userId, expiresAt, claims: { loginId: id, sessionId } };
    },
    // Created once per session. The data is still there when the client reconnects.
    sessionData: ({ parameters }) => ({ name: parameters.deviceName }),
    // Only this server's own page may connect, because another site must not control its visitors'
    // devices.
    origins: [],
    // A user may read only the list of the user's own devices.
    authorize: ({ identity, channel, key }) => channel === "devices" && key === identity.userId,
    sessionResumeMs,
  });
}

export type Realtime = ReturnType<typeof createRealtime>;
export type DeviceSession = ReturnType<Realtime["sessions"]>[number];

/** The device of a session. The protocol requires the client to name one. */
export function deviceOf({ id, deviceId = id }: DeviceSession): string {
  return deviceId;
}
