import type { ClientMessageOf, ServerMessage, ServerMessageOf } from "@holdfast/protocol";
import type { Attempt, Behaviour } from "./scripted-socket.js";

/** Behaviours of a scripted server for one connection, by name. */

/** The socket never opens. */
export const neverOpens = (): Behaviour => ({});

/** The network refuses the connection. */
export const unreachable = (): Behaviour => ({ opened: (attempt) => attempt.end() });

/** Opens and never sends a frame. */
export const silent = (): Behaviour => ({ opened: (attempt) => attempt.open() });

/** Opens and closes at once with this code. */
export const refuses = (code: number, reason = ""): Behaviour => ({
  opened(attempt) {
    attempt.open();
    attempt.end(code, reason);
  },
});

/** Greets like a correct server and ends the connection at once. */
export const acceptsAndDies = (code = 1006): Behaviour => ({
  opened(attempt) {
    attempt.open();
    attempt.receive(connected());
    attempt.end(code);
  },
});

/** Refuses the token with a message, then closes. */
export const refusesToken = (): Behaviour => ({
  opened: (attempt) => attempt.open(),
  received(attempt, message) {
    if (message.type !== "auth") return;
    const error = { code: "UNAUTHENTICATED", message: "The token has expired." };
    attempt.receive({ type: "auth_response", data: { success: false, error } });
    attempt.end(4401, "the token has expired");
  },
});

export interface Answers {
  connected?: ServerMessage;
  subscribe?: (channel: string) => object;
  request?: (message: ClientMessageOf<"request">) => ServerMessage | undefined;
}

/**
 * A correct server that greets, grants every channel, and answers the requests that the script
 * answers.
 */
export const answers = (script: Answers = {}): Behaviour => ({
  opened: (attempt) => attempt.open(),
  received(attempt, message) {
    switch (message.type) {
      case "auth":
        attempt.receive({ type: "auth_response", data: { success: true, user_id: "u1" } });
        return attempt.receive(script.connected ?? connected());
      case "subscribe":
        return grant(attempt, message, script.subscribe);
      case "request": {
        const answer = script.request?.(message);
        if (answer) attempt.receive(answer);
        return;
      }
      case "ping":
        return attempt.receive({ type: "pong", correlation_id: message.correlation_id });
      default:
    }
  },
});

/**
 * Answers a `subscribe`: every channel is joined. If `verdict` returns fields, the result contains
 * these fields too.
 */
export function grant(
  attempt: Attempt,
  message: ClientMessageOf<"subscribe">,
  verdict: (channel: string) => object = () => ({}),
): void {
  const names = message.data.channels.map((asked) => (typeof asked === "string" ? asked : asked.channel));
  const results = names.map((channel) => ({ ok: true, channel, ...verdict(channel) }));
  attempt.receive({
    type: "subscribe_response",
    correlation_id: message.correlation_id,
    data: { success: true, subscribed: names, results },
  } as ServerMessage);
}

type Connected = ServerMessageOf<"connected">;

export function connected(changes: Partial<Connected["data"]> = {}): Connected {
  return {
    type: "connected",
    data: {
      session_id: "s1",
      user_id: "u1",
      protocol: { name: "agents", version: "1.0.0", fingerprint: "9d0b5f3c2a417e68" },
      heartbeat: { interval_ms: 30_000, timeout_ms: 10_000 },
      limits: { message_bytes: 65_536, subscriptions: 128, requests_in_flight: 64 },
      ...changes,
    },
  };
}
