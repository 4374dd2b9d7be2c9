import {
  type ClientMessage,
  closeNumber,
  type Fault,
  HoldfastError,
  type Protocol,
  type ServerMessage,
  type ServerMessageOf,
} from "@holdfast/protocol";
import type { Codec } from "@holdfast/protocol/internal";
import type { ConnectionRunner } from "./connection.js";
import { type DirectListeners, isDirect } from "./direct-events.js";
import { type ErrorContext, faultError, type ReportError } from "./errors.js";
import type { PendingRequests } from "./requests.js";
import type { ChannelSubscriptions } from "./subscriptions-state.js";

export interface MessageRouterParts {
  readonly protocol: Protocol;
  readonly codec: Codec<ServerMessage, ClientMessage>;
  readonly connection: ConnectionRunner;
  readonly requests: PendingRequests;
  readonly subscriptions: ChannelSubscriptions;
  readonly direct: DirectListeners;
  readonly send: (message: ClientMessage) => void;
  readonly report: ReportError;
}

/** Passes each frame of the server to the part that handles its message. */
export function createMessageRouter(parts: MessageRouterParts): (frame: string | Uint8Array) => void {
  const { connection, requests, subscriptions, report } = parts;

  return (frame) => {
    const decoded = parts.codec.decode(frame);
    // If the unreadable frame answers a request, the request rejects, because the server sends an
    // answer only once.
    if (!decoded.ok) return unreadable(decoded.fault, decoded.correlationId);
    try {
      receive(decoded.message, frame.length);
    } catch (cause) {
      // In production a page reads frames without validation, so a member may be missing or
      // have another type.
      unreadable({ field: "", message: "is not a valid message.", cause });
    }
  };

  function receive(message: ServerMessage, size: number): void {
    switch (message.type) {
      case "connected":
        return greet(message);
      case "auth_response":
        if (message.data.success) return;
        return connection.dispatch({ type: "refused", error: HoldfastError.fromWire(message.data.error) });
      case "auth_expiring":
        return connection.renew();
      case "subscribe_response":
        return subscriptions.settle(message, size);
      case "unsubscribed":
        return subscriptions.withdraw(message.channel, HoldfastError.fromWire(message.data));
      case "response":
        return requests.respond(message);
      case "event":
        return (isDirect(message) ? parts.direct : subscriptions).deliver(message, size);
      case "state_update":
      case "state_sync":
        return subscriptions.deliver(message, size);
      case "state_deleted":
        return subscriptions.withdraw(message.channel, new HoldfastError("STATE_DELETED", message.data.reason));
      case "reset":
        return subscriptions.reset(message);
      case "goaway":
        return connection.dispatch({ type: "goaway", delayMs: message.data.delay_ms });
      case "ping":
        return parts.send({ type: "pong", correlation_id: message.correlation_id });
      case "error": {
        const { correlation_id, data, channel } = message;
        return refuse(correlation_id, HoldfastError.fromWire(data), { source: "server", channel });
      }
      default:
        // Handled by an optional part such as presence, or ignored.
        return subscriptions.tell(message satisfies ServerMessageOf<"presence"> | SignOfLife);
    }
  }

  function greet({ data }: ServerMessageOf<"connected">): void {
    const { name, version } = parts.protocol;
    const theirs = data.protocol;
    if (theirs.name !== name || compatible(theirs.version) !== compatible(version)) {
      const message = `The server runs ${theirs.name} ${theirs.version}, this client ${name} ${version}.`;
      const error = new HoldfastError("PROTOCOL_MISMATCH", message);
      connection.dispatch({
        type: "ended",
        end: { code: closeNumber.UNSUPPORTED_PROTOCOL, reason: message, cause: error },
      });
      return report(error, { source: "server" });
    }
    connection.dispatch({
      type: "connected",
      session: {
        sessionId: data.session_id,
        resumed: data.resumed ?? false,
        userId: data.user_id,
        deviceId: data.device_id,
      },
      limits: {
        silenceMs: data.heartbeat.interval_ms + data.heartbeat.timeout_ms,
        messageBytes: data.limits.message_bytes,
        requestsInFlight: data.limits.requests_in_flight,
      },
    });
  }

  function unreadable(fault: Fault, correlationId?: string): void {
    refuse(correlationId, faultError("BAD_MESSAGE", "A server frame", fault), { source: "message" });
  }

  function refuse(correlationId: string | undefined, error: HoldfastError, context: ErrorContext): void {
    if (!requests.refuse(correlationId, error) && !subscriptions.refuse(correlationId, error)) report(error, context);
  }
}

/**
 * Messages that only prove that the peer is alive. connection.ts has already told the heartbeat.
 */
type SignOfLife = ServerMessageOf<"pong" | "unsubscribe_response" | "subscriptions">;

/**
 * The part of a version that client and server must share: the major number, and before 1.0.0 also
 * the minor number.
 */
function compatible(version: string): string | undefined {
  return /^(0\.)?\d+/.exec(version)?.[0];
}
