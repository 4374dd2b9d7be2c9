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

/** Takes every frame of the server to the part it concerns. */
export function createMessageRouter(parts: MessageRouterParts): (frame: string | Uint8Array) => void {
  const { connection, requests, subscriptions, report } = parts;

  return (frame) => {
    const decoded = parts.codec.decode(frame);
    // Whoever asked is told; an answer that cannot be read will not come again.
    if (!decoded.ok) return unreadable(decoded.fault, decoded.correlationId);
    try {
      receive(decoded.message, frame.length);
    } catch (cause) {
      // A page in production reads frames without their schemas, so what they hold may not be what
      // they should.
      unreadable({ field: "", message: "is not of the protocol.", cause });
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
        // Read by a part that a page may leave out, or by nobody.
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
    refuse(correlationId, faultError("BAD_MESSAGE", "A frame of the server", fault), { source: "message" });
  }

  function refuse(correlationId: string | undefined, error: HoldfastError, context: ErrorContext): void {
    if (!requests.refuse(correlationId, error) && !subscriptions.refuse(correlationId, error)) report(error, context);
  }
}

/** Any frame is one, and the connection has noted it; these say nothing else. */
type SignOfLife = ServerMessageOf<"pong" | "unsubscribe_response" | "subscriptions">;

/** What both sides must share of a version: the major number, before 1.0.0 also the minor one. */
function compatible(version: string): string | undefined {
  return /^(0\.)?\d+/.exec(version)?.[0];
}
