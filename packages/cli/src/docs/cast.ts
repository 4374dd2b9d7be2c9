import type { ClientMessage, RichValue, ServerMessage } from "@holdfast/protocol";

/**
 * The names in the diagrams. The reference of an application uses the application's own names.
 */
export interface Cast {
  readonly protocol: string;
  readonly version: string;
  readonly fingerprint: string;
  readonly channel: string;
  readonly event: string;
  readonly eventData: unknown;
  readonly request: string;
  readonly input: unknown;
  readonly output: unknown;
  /** A direct event, if the protocol has one. */
  readonly direct: { readonly event: string; readonly data: unknown } | undefined;
  /** A channel with presence and a user's presence data. */
  readonly presence: { readonly channel: string; readonly data: RichValue } | undefined;
}

/** The names in the wire's own reference, which has no application. */
export const EXAMPLE_CAST: Cast = {
  protocol: "agents",
  version: "1.0.0",
  fingerprint: "9d0b5f3c2a417e68",
  channel: "agent-updates",
  event: "statusChanged",
  eventData: { agentId: "a1", status: "running" },
  request: "agent.start",
  input: { program: "primes" },
  output: { id: "a1" },
  direct: { event: "playback.paused", data: { at: 12 } },
  presence: { channel: "board:7c1f", data: { data: { name: "Ada" } } },
};

/** The frames in the diagrams. */
export interface DiagramScript {
  readonly auth: ClientMessage;
  readonly welcome: ServerMessage;
  readonly connected: ServerMessage & { type: "connected" };
  readonly subscribe: ClientMessage;
  readonly subscribed: ServerMessage;
  readonly requested: ClientMessage;
  readonly answered: ServerMessage;
  /** An event of the channel. The event has an offset if the diagram is about history. */
  readonly event: (offset?: number) => ServerMessage & { type: "event" };
  /** The answer to the request, with an error. */
  readonly failed: (code: string, message: string) => ServerMessage;
}

export function scriptOf(cast: Cast): DiagramScript {
  const { channel } = cast;
  return {
    auth: { type: "auth", correlation_id: "1", data: { token: "eyJhbGciOiJFZERTQSJ9…" } },
    welcome: { type: "auth_response", correlation_id: "1", data: { success: true, user_id: "u1" } },
    connected: {
      type: "connected",
      data: {
        session_id: "s_4fQm0cR2Vb8TzKx1Yw9u3A",
        user_id: "u1",
        protocol: { name: cast.protocol, version: cast.version, fingerprint: cast.fingerprint },
        heartbeat: { interval_ms: 30_000, timeout_ms: 10_000 },
        limits: { message_bytes: 65_536, subscriptions: 128, requests_in_flight: 64 },
      },
    },
    subscribe: { type: "subscribe", correlation_id: "2", data: { channels: [channel] } },
    subscribed: {
      type: "subscribe_response",
      correlation_id: "2",
      data: { success: true, subscribed: [channel], results: [{ ok: true, channel }] },
    },
    requested: { type: "request", correlation_id: "5", data: { name: cast.request, input: cast.input } },
    answered: { type: "response", correlation_id: "5", data: { ok: true, output: cast.output } },
    event: (offset) => ({
      type: "event",
      channel,
      event: cast.event,
      data: cast.eventData,
      ...(offset !== undefined && { metadata: { offset, id: `e${offset}`, prev: `e${offset - 1}` } }),
    }),
    failed: (code, message) => ({
      type: "response",
      correlation_id: "5",
      data: { ok: false, error: { code, message } },
    }),
  };
}
