import { type ClientMessage, type Fault, HoldfastError, type ServerMessage } from "@holdfast/protocol";
import { type Codec, toWire } from "@holdfast/protocol/internal";
import type { Refreshes } from "../auth/refreshes.js";
import { type Logger, printable } from "../observe/logger.js";
import type { Stats } from "../observe/stats.js";
import type { Connection, FrameReceiver } from "../session/connection.js";
import type { PresenceUpdates } from "./presence-updates.js";
import { replyTo } from "../transport/reply-to.js";
import type { Requests } from "./requests.js";
import type { SubscriptionRequests } from "./subscriptions.js";

/** A connection that sends this many unreadable messages within a minute is closed. */
const MAX_FAULTS = 3;
const FAULT_WINDOW_MS = 60_000;

export interface DispatcherContext {
  readonly codec: Codec<ClientMessage, ServerMessage>;
  readonly requests: Requests;
  readonly subscriptions: SubscriptionRequests;
  readonly presenceUpdates: PresenceUpdates;
  readonly refreshes: Refreshes;
  readonly stats: Stats;
  readonly logger: Logger;
}

/**
 * Decodes the frames of open connections and passes each message to the part that handles that
 * type. If a message cannot be read or handled, the client gets an error and the process goes on.
 */
export class Dispatcher implements FrameReceiver {
  readonly #context: DispatcherContext;
  /**
   * The recent unreadable messages of each connection. A connection without unreadable messages has
   * no entry.
   */
  readonly #faults = new WeakMap<Connection, { count: number; since: number }>();

  constructor(context: DispatcherContext) {
    this.#context = context;
  }

  onFrame(connection: Connection, frame: string | Uint8Array): void {
    try {
      const decoded = this.#context.codec.decode(frame);
      if (decoded.ok) this.#dispatch(connection, decoded.message);
      else this.#refuse(connection, decoded.fault, decoded.correlationId);
    } catch (error) {
      // A fault in the server must not let one client's message end the process.
      this.#context.stats.error("INTERNAL");
      this.#context.logger.error({ session: connection.sessionId, err: error }, "message handling failed");
      connection.send({
        type: "error",
        data: toWire(new HoldfastError("INTERNAL", "The message could not be handled.")),
      });
    }
  }

  #dispatch(connection: Connection, message: ClientMessage): void {
    switch (message.type) {
      case "request":
        return this.#context.requests.start(connection, message);
      case "cancel":
        return this.#context.requests.cancel(connection, message.correlation_id);
      case "subscribe":
        return this.#context.subscriptions.subscribe(connection, message);
      case "unsubscribe":
        return this.#context.subscriptions.unsubscribe(connection, message);
      case "list_subscriptions":
        return this.#context.subscriptions.list(connection, message);
      case "auth":
        return this.#context.refreshes.start(connection, message);
      case "ping":
        return connection.send({ ...message, type: "pong" });
      case "pong":
        return; // nothing to do: the heartbeat has noticed the frame
      case "ack":
        return connection.acks.settle(message.data.id, message.data.failure);
      case "set_presence":
        return this.#context.presenceUpdates.set(connection, message);
      default:
        message satisfies never;
    }
  }

  #refuse(connection: Connection, fault: Fault, correlationId: string | undefined): void {
    this.#context.stats.error("BAD_MESSAGE");
    this.#context.logger.info({ session: connection.sessionId, field: printable(fault.field) }, "unreadable message");
    const error = new HoldfastError("BAD_MESSAGE", fault.message, { field: fault.field || undefined });
    connection.send({ type: "error", ...replyTo({ correlation_id: correlationId }), data: toWire(error) });

    const now = connection.lastHeardAt;
    const last = this.#faults.get(connection);
    const faults = last && now - last.since <= FAULT_WINDOW_MS ? last : { count: 0, since: now };
    this.#faults.set(connection, faults);
    if (++faults.count >= MAX_FAULTS) connection.close("BAD_REQUEST", "too many messages that are not of the protocol");
  }
}
