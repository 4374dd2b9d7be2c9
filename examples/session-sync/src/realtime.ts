import { createServer, type ServerOptions } from "@holdfast/server";
import { sessionSync } from "./protocol.js";

/**
 * Enough for an example that anyone may try. What protects a session is its id, 122 random bits in
 * the link.
 */
export const TOKEN = "abc123";

export type RealtimeOptions = Pick<
  ServerOptions<typeof sessionSync.definition, { userId: string }>,
  "broker" | "heartbeat" | "logger"
>;

/** The WebSocket server: who may connect, and to what. */
export function createRealtime(options: RealtimeOptions) {
  return createServer(sessionSync, {
    // A connection belongs to one session, so the session takes the place of the user: everyone who
    // watches it is reached, on whatever instance, by its id.
    authenticate: ({ token, parameters }) => {
      if (token !== TOKEN) throw new Error("unknown token");
      return { userId: parameters.sessionId };
    },
    // For scripts. The page sends its token in a message.
    credentials: { queryToken: true },
    authorize: ({ session, key }) => key === session.parameters.sessionId,
    // Only this server's own page: another site's must not steer the session of whoever visits it.
    origins: [],
    // Who watches is counted, and nothing else is told of them.
    presence: { session: () => ({}) },
    // A page that is loaded again is counted twice for no longer than this.
    presenceGraceMs: 1_000,
    // So many may watch one session.
    devices: { perUser: 100 },
    // A peer that has gone without a word is noticed within ten seconds.
    heartbeat: { intervalMs: 5_000, timeoutMs: 5_000 },
    ...options,
  });
}

export type Realtime = ReturnType<typeof createRealtime>;
