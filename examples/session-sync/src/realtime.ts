import { createServer, type ServerOptions } from "@holdfast/server";
import { sessionSync } from "./protocol.js";

/**
 * A fixed token is enough for an example. The 122 random bits of its id protect a session.
 */
export const TOKEN = "abc123";

export type RealtimeOptions = Pick<
  ServerOptions<typeof sessionSync.definition, { userId: string }>,
  "broker" | "heartbeat" | "logger"
>;

/** The WebSocket server: which clients may connect, and to which channel. */
export function createRealtime(options: RealtimeOptions) {
  return createServer(sessionSync, {
    // A connection belongs to one session, so the session id is the user id. By this user id the
    // server can reach all watchers of a session, on every instance.
    authenticate: ({ token, parameters }) => {
      if (token !== TOKEN) throw new Error("unknown token");
      return { userId: parameters.sessionId };
    },
    // Lets scripts pass the token in the URL. The page sends its token in a message.
    credentials: { queryToken: true },
    authorize: ({ session, key }) => key === session.parameters.sessionId,
    // Of all browser pages, only this server's own page may connect. Otherwise any site that a user
    // visits could control the user's sessions.
    origins: [],
    // Pages count the watchers, and the server publishes no data about a watcher.
    presence: { session: () => ({}) },
    // A page that was closed or reloaded is still counted for this long.
    presenceGraceMs: 1_000,
    // The largest number of watchers of one session.
    devices: { perUser: 100 },
    // With these values, the server notices a dead peer within ten seconds.
    heartbeat: { intervalMs: 5_000, timeoutMs: 5_000 },
    ...options,
  });
}

export type Realtime = ReturnType<typeof createRealtime>;
