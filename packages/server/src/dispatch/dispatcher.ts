import {
  type ClientMessage,
  type Codec,
  type Fault,
  HoldfastError,
  type ServerMessage,
  toWire,
} from "@holdfast/protocol";
import { acceptAuth, type AuthMessage, refuseAuth } from "../auth/handshake.js";
import type { Authenticator } from "../auth/authenticator.js";
import { type Logger, printable } from "../observe/logger.js";
import type { Stats } from "../observe/stats.js";
import type { Connection, FrameReceiver } from "../session/connection.js";
import type { PresenceUpdates } from "./presence-updates.js";
import { replyTo } from "./reply-to.js";
import type { Requests } from "./requests.js";
import type { Subscriptions } from "./subscriptions.js";

/** Three unreadable messages within a minute are no slip any more. */
const MAX_FAULTS = 3;
const FAULT_WINDOW_MS = 60_000;

/** Newer credentials that may wait to be checked; a client has no use for a second one before the first is answered. */
const MAX_REFRESHES = 8;

export interface DispatcherContext {
  readonly codec: Codec<ClientMessage, ServerMessage>;
  readonly requests: Requests;
  readonly subscriptions: Subscriptions;
  readonly presenceUpdates: PresenceUpdates;
  readonly authenticator: Authenticator;
  readonly stats: Stats;
  readonly logger: Logger;
}

/** The one place where what a client says is read, and where what goes wrong with it becomes an answer. */
export class Dispatcher implements FrameReceiver {
  readonly #context: DispatcherContext;

  constructor(context: DispatcherContext) {
    this.#context = context;
  }

  onFrame(connection: Connection, frame: string | Uint8Array): void {
    try {
      const decoded = this.#context.codec.decode(frame);
      if (decoded.ok) this.#dispatch(connection, decoded.message);
      else this.#refuse(connection, decoded.fault, decoded.correlationId);
    } catch (error) {
      // No peer's message may end the process, whatever we got wrong.
      this.#context.stats.error("INTERNAL");
      this.#context.logger.error({ session: connection.id, err: error }, "a message could not be handled");
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
        return this.#refreshInTurn(connection, message);
      case "ping":
        return connection.send({ ...message, type: "pong" });
      case "pong":
        return; // heard is all it has to be
      case "ack":
        return connection.acks.settle(message.data.id, message.data.failure);
      case "set_presence":
        return this.#context.presenceUpdates.set(connection, message);
      default:
        message satisfies never;
    }
  }

  /** One after the other, or a slow answer about an older token would replace the identity of a newer one. */
  #refreshInTurn(connection: Connection, message: AuthMessage): void {
    const refreshes = (connection.refreshes ??= { count: 0, last: Promise.resolve() });
    if (refreshes.count === MAX_REFRESHES) return connection.close("RATE_LIMITED", '{"retryAfterMs":1000}');
    refreshes.count++;
    refreshes.last = refreshes.last
      .then(() => (connection.isOpen ? this.#refreshCredential(connection, message) : undefined))
      .catch((error: unknown) => {
        this.#context.logger.error({ session: connection.id, err: error }, "a credential could not be refreshed");
        connection.close("INTERNAL", "the server failed");
      })
      .finally(() => refreshes.count--);
  }

  /** `auth` on a live connection: a newer token of the same user, on the same device. */
  async #refreshCredential(connection: Connection, message: AuthMessage): Promise<void> {
    const { token, device_id: deviceId } = message.data;
    // A client that introduces itself to a server that has greeted it already: there is nothing new in it.
    if (token === undefined) return acceptAuth(connection, message);
    const { authenticator, subscriptions } = this.#context;
    const credential = { token, source: "message" } as const;
    const result = await authenticator.check(credential, connection.request, connection.parameters, deviceId);
    if (!connection.isOpen) return;
    if (!result.ok) return refuseAuth(connection, message, result.error);
    const { identity } = result;
    if (connection.userId !== identity?.userId) return refuseAuth(connection, message, another("user"));
    const named = identity && (identity.deviceId ?? deviceId);
    if (named !== undefined && named !== connection.deviceId) return refuseAuth(connection, message, another("device"));
    connection.refresh(identity);
    acceptAuth(connection, message);
    // What the newer token says may be less than the older one did.
    await subscriptions.reauthorize(connection);
  }

  #refuse(connection: Connection, fault: Fault, correlationId: string | undefined): void {
    this.#context.stats.error("BAD_MESSAGE");
    this.#context.logger.info({ session: connection.id, field: printable(fault.field) }, "unreadable message");
    const error = new HoldfastError("BAD_MESSAGE", fault.message, { field: fault.field || undefined });
    connection.send({ type: "error", ...replyTo({ correlation_id: correlationId }), data: toWire(error) });

    const now = connection.lastHeardAt;
    if (!connection.faults || now - connection.faults.since > FAULT_WINDOW_MS)
      connection.faults = { count: 0, since: now };
    if (++connection.faults.count >= MAX_FAULTS)
      connection.close("BAD_REQUEST", "too many messages that are not of the protocol");
  }
}

function another(what: "user" | "device"): HoldfastError {
  return new HoldfastError("UNAUTHENTICATED", `The token is of another ${what}.`, {
    remedy: `Open a new connection for another ${what}.`,
  });
}
