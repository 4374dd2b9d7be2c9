import type { DeviceList } from "./device-list.js";
import type { Login, Logins } from "./login.js";
import { deviceOf, type DeviceSession, type Realtime } from "./realtime.js";

export interface SignOutOptions {
  server: Realtime;
  list: DeviceList;
  logins: Logins;
}

/**
 * Closes connections when a login ends. The login always ends in the store first, because a
 * disconnected client may reconnect at once. The server also closes a connection that is being
 * authenticated at that time.
 */
export function signOuts({ server, list, logins }: SignOutOptions): { loggedOut: (login: Login) => Promise<void> } {
  const connectedBy =
    ({ id }: Login) =>
    ({ identity }: DeviceSession): boolean =>
      identity.claims.loginId === id;
  const disconnect = (login: Login, code: number, reason: string): Promise<number> =>
    server.user(login.userId).disconnect({ code, reason, where: connectedBy(login) });

  // Ends the login of the other device's browser, so all tabs of that browser are signed out.
  server.handle("device.signOut", async ({ input, session, error }) => {
    const { userId } = session.identity;
    const target = list.find(userId, input.deviceId);
    if (!target) throw error("UNKNOWN_DEVICE", input);
    const { loginId, sessionId } = target.identity.claims;
    const login = { id: loginId, userId };
    await logins.end(sessionId);
    const by = { deviceId: deviceOf(session), name: session.data.name };
    const tabs = server.user(userId).sessions().filter(connectedBy(login));
    await Promise.all(tabs.map(({ id }) => server.session(id).send("device.signedOut", { by })));
    // 4401 (UNAUTHENTICATED) tells the page that the browser needs a new login.
    return { ended: await disconnect(login, 4401, `signed out by ${by.name}`) };
  });

  return {
    // 4403 (FORBIDDEN) stops the client: reconnecting with an ended login would fail.
    async loggedOut(login) {
      await disconnect(login, 4403, "logged out");
    },
  };
}
