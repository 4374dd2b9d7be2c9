import { createServer, type ServerOptions } from "@holdfast/server";
import { sessionSync } from "./protocol.js";

/**
 * A fixed token is enough for an example. A session is protected by the 122 random bits of its id.
 */
export const TOKEN = "abc123";

export type RealtimeOptions = Pick<
  ServerOptions<typeof sessionSync.definition, { userId: string }>,
  "broker" | "heartbeat" | "logger"
>;

/** The WebSocket server: which clients may connect, and to which channel. */
export function createRealtime(options: RealtimeOptions) {
  return createServer(sessionSync, {
    // A connection belongs to one session, so the session takes the place of the user. The server
    // can then reach all watchers of a session, on every instance, by this user id.
    authenticate: ({ token, parameters }) => {
      if (token !== TOKEN) throw new Error("unknown token");
      return { userId: parameters.sessionId };
    },
    // For scripts. The page sends its token in a message.
    credentials: { queryToken: true },
    authorize: ({ session, key }) => key === session.parameters.sessionId,
    // Only this server's own page may connect, because another site must not control its visitors'
    // sessions.
    origins: [],
    // Watchers are counted, and no other data about them is published.
    presence: { session: () => ({}) },
    // For at most this long, a reloaded page is counted twice.
    presenceGraceMs: 1_000,
    // The largest number of watchers of one session.
    devices: { perUser: 100 },
    // A dead peer is noticed within ten seconds.
    heartbeat: { intervalMs: 5_000, timeoutMs: 5_000 },
    ...options,
  });
}

export type Realtime = ReturnType<typeof createRealtime>;
