import { defineProtocol } from "@holdfast/protocol";
import { createServer, type Identity, type ServerOptions } from "@holdfast/server";
import * as z from "zod";
import { type Peer, ServerHarness } from "./server-harness.js";
import { VirtualEnvironment } from "./virtual-environment.js";

/**
 * The protocol of the identity tests: users with several devices, direct events, and rooms with
 * presence.
 */
export const player = defineProtocol({
  name: "player",
  version: "1.0.0",
  requests: { wait: {} },
  channels: {
    news: { events: { published: z.string() } },
    room: {
      key: z.string(),
      events: { said: z.string() },
      presence: z.object({ name: z.string(), since: z.date().optional() }),
    },
  },
  direct: { "playback.paused": z.object({ at: z.number() }), hello: z.string() },
});

/**
 * Accepts the tokens `u1` and `u1@phone`: a user id, with the device id after the @ if the
 * credential names one.
 */
export const authenticate = ({ token }: { token: string }): Identity => {
  const [, userId, deviceId] = /^(\w+)(?:@(\w+))?$/.exec(token) ?? [];
  if (!userId || userId === "nobody") throw new Error("unknown token");
  return { userId, deviceId };
};

/**
 * A server that authenticates users, with the `player` protocol. `connect` opens an authenticated
 * connection.
 */
export function identityServer<I extends Identity, Data = undefined>(
  options: ServerOptions<typeof player.definition, I, Data> = {},
) {
  const environment = new VirtualEnvironment();
  const server = createServer(player, {
    ...({ authenticate } as unknown as ServerOptions<typeof player.definition, I, Data>),
    ...options,
    environment,
  });
  const harness = new ServerHarness(server, environment);

  /** Connects, then sends `auth` and the messages in `more` in one turn. */
  const connect = async (token: string, said: object = {}, ...more: object[]): Promise<Peer> => {
    const peer = await harness.connect();
    await peer.send(auth(token, said), ...(more as Record<string, unknown>[]));
    return peer;
  };
  return { server, environment, harness, connect };
}

/** An `auth` message. `said` adds fields such as `device_id` and `session_id`. */
export function auth(token: string | undefined, said: object = {}, metadata?: object) {
  return { type: "auth", correlation_id: "a", data: { token, ...said }, metadata };
}

/** A `subscribe` message for the given channels. */
export function subscribe(...channels: string[]) {
  return { type: "subscribe", correlation_id: "s", data: { channels } };
}

/**
 * Advances virtual time while the peers send a pong every 20 s, so that the heartbeat keeps the
 * connections.
 */
export async function stayConnected(harness: ServerHarness, ms: number, ...peers: Peer[]): Promise<void> {
  for (let left = ms; left > 0; left -= 20_000) {
    await harness.advance(Math.min(left, 20_000));
    for (const peer of peers) await peer.send({ type: "pong" });
  }
}

/** The session id that the server gave this peer. */
export const sessionOf = (peer: Peer): string => peer.last("connected").data.session_id;
