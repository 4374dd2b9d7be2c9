import { createServer } from "@holdfast/server";
import { COOKIE, type Logins } from "./login.js";
import { devices } from "./protocol.js";

export interface RealtimeOptions {
  /**
   * How long a device that lost its connection is shown as offline, and may continue its session.
   * @default 30000
   */
  sessionResumeMs?: number;
}

/**
 * The WebSocket server: who may connect, what is kept of each session, and who may read which list.
 */
export function createRealtime(logins: Logins, { sessionResumeMs = 30_000 }: RealtimeOptions = {}) {
  return createServer(devices, {
    // A WebSocket begins as an HTTP request, and brings the cookie that `/login` has set. Nothing
    // else opens one: without a good cookie the upgrade is HTTP 401, or for the page, which could
    // not read that, close code 4401.
    credentials: { cookie: COOKIE, message: false },
    authenticate: ({ token, source }) => {
      const login = logins.find(source === "cookie" ? token : undefined);
      if (!login) throw new Error("not logged in");
      const { id, userId, sessionId, expiresAt } = login;
      return { userId, expiresAt, claims: { loginId: id, sessionId } };
    },
    // Made once for each session, and still there when its client comes back on another connection.
    sessionData: ({ parameters }) => ({ name: parameters.deviceName }),
    // Only this server's own page: another site's must not steer the devices of whoever visits it.
    origins: [],
    // Nobody but the user reads the list of the user's devices.
    authorize: ({ identity, channel, key }) => channel === "devices" && key === identity.userId,
    sessionResumeMs,
  });
}

export type Realtime = ReturnType<typeof createRealtime>;
export type DeviceSession = ReturnType<Realtime["sessions"]>[number];

/** The device of a session; the protocol requires that one is named. */
export function deviceOf({ id, deviceId = id }: DeviceSession): string {
  return deviceId;
}
