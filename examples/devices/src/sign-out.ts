import type { DeviceList } from "./device-list.js";
import type { Login, Logins } from "./login.js";
import { deviceOf, type DeviceSession, type Realtime } from "./realtime.js";

export interface SignOutOptions {
  server: Realtime;
  list: DeviceList;
  logins: Logins;
}

/**
 * What happens to connections when a login ends. It always ends in the store first: a client that is disconnected and comes
 * back at once must find it gone.
 */
export function signOuts({ server, list, logins }: SignOutOptions): { loggedOut: (login: Login) => void } {
  const sessionsOf = (userId: string, loginId: string): DeviceSession[] =>
    list.sessions(userId).filter(({ identity }) => identity.claims.loginId === loginId);

  // Another device is signed out: with its browser's login, and so with all tabs of that browser.
  server.handle("device.signOut", async ({ input, session, error }) => {
    const { userId } = session.identity;
    const target = list.find(userId, input.deviceId);
    if (!target) throw error("UNKNOWN_DEVICE", input);
    const { loginId, sessionId } = target.identity.claims;
    await logins.end(sessionId);
    const sessions = sessionsOf(userId, loginId);
    const by = { deviceId: deviceOf(session), name: session.data.name };
    for (const { id } of sessions) {
      await server.session(id).send("device.signedOut", { by });
      await server.session(id).revoke(`signed out by ${by.name}`);
    }
    return { ended: sessions.length };
  });

  // A login can end between the upgrade request that showed its cookie and the message that opens the session.
  server.onSession(({ type, session }) => {
    const { sessionId } = session.identity.claims;
    if ((type === "opened" || type === "resumed") && !logins.has(sessionId)) void server.session(session.id).revoke();
  });

  return {
    // 4403 (FORBIDDEN) tells a client to stop: with this login there is nothing to come back to.
    loggedOut({ id, userId }) {
      for (const session of sessionsOf(userId, id)) session.disconnect(4403, "logged out");
    },
  };
}
