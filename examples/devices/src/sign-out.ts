import type { DeviceList } from "./device-list.js";
import type { Login, Logins } from "./login.js";
import { deviceOf, type DeviceSession, type Realtime } from "./realtime.js";

export interface SignOutOptions {
  server: Realtime;
  list: DeviceList;
  logins: Logins;
}

/**
 * What happens to connections when a login ends. It always ends in the store first: a client that
 * is disconnected and comes back at once must find it gone. One that was just being opened is ended
 * with the others.
 */
export function signOuts({ server, list, logins }: SignOutOptions): { loggedOut: (login: Login) => Promise<void> } {
  const connectedBy =
    ({ id }: Login) =>
    ({ identity }: DeviceSession): boolean =>
      identity.claims.loginId === id;
  const disconnect = (login: Login, code: number, reason: string): Promise<number> =>
    server.user(login.userId).disconnect({ code, reason, where: connectedBy(login) });

  // Another device is signed out: with its browser's login, and so with all tabs of that browser.
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
    // 4401 (UNAUTHENTICATED): the client is to log in again, and its page asks for that.
    return { ended: await disconnect(login, 4401, `signed out by ${by.name}`) };
  });

  return {
    // 4403 (FORBIDDEN) tells a client to stop: with this login there is nothing to come back to.
    async loggedOut(login) {
      await disconnect(login, 4403, "logged out");
    },
  };
}
