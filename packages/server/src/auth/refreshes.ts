import { type ClientMessageOf, HoldfastError } from "@holdfast/protocol";
import type { Logger } from "../observe/logger.js";
import type { Connection } from "../session/connection.js";
import type { Reauthorizer } from "../session/reauthorizer.js";
import type { Authenticator } from "./authenticator.js";
import { acceptAuth, refuseAuth } from "./handshake.js";

/**
 * The most `auth` messages that may be unanswered on one connection. A client needs no second
 * `auth` before the first is answered.
 */
const MAX_REFRESHES = 8;

export interface RefreshParts {
  readonly authenticator: Authenticator;
  readonly logger: Logger;
  /** Checks the permissions that were granted to the older identity again. */
  readonly permissions: Reauthorizer;
}

/**
 * Handles `auth` on an open connection: a newer credential of the same user on the same device.
 * `Handshake` handles the first `auth`.
 */
export class Refreshes {
  readonly #parts: RefreshParts;
  /** The number of unanswered refreshes of each connection, and the last of them. */
  readonly #pending = new WeakMap<Connection, { count: number; last: Promise<void> }>();

  constructor(parts: RefreshParts) {
    this.#parts = parts;
  }

  /**
   * Refreshes run one after the other. Otherwise a slow check of an older token could replace the
   * identity of a newer one.
   */
  start(connection: Connection, message: ClientMessageOf<"auth">): void {
    const refreshes = this.#pending.get(connection) ?? { count: 0, last: Promise.resolve() };
    this.#pending.set(connection, refreshes);
    if (refreshes.count === MAX_REFRESHES) return connection.close("RATE_LIMITED", '{"retryAfterMs":1000}');
    refreshes.count++;
    refreshes.last = refreshes.last
      .then(() => (connection.isOpen ? this.#refresh(connection, message) : undefined))
      .catch((error: unknown) => {
        this.#parts.logger.error({ session: connection.sessionId, err: error }, "credential refresh failed");
        connection.close("INTERNAL", "the server failed");
      })
      .finally(() => refreshes.count--);
  }

  async #refresh(connection: Connection, message: ClientMessageOf<"auth">): Promise<void> {
    const { token, device_id: deviceId } = message.data;
    // A client may send `auth` without a token to a server that already knows the client. Nothing
    // has changed.
    if (token === undefined) return acceptAuth(connection, message);
    const { authenticator, permissions, logger } = this.#parts;
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
    // The new identity may have fewer permissions than the old one. The next refresh does not wait
    // for these checks.
    permissions
      .reauthorize(connection)
      .catch((error: unknown) => logger.error({ session: connection.sessionId, err: error }, "reauthorization failed"));
  }
}

function another(what: "user" | "device"): HoldfastError {
  return new HoldfastError("UNAUTHENTICATED", `The token belongs to another ${what}.`, {
    remedy: `Open a new connection for the other ${what}.`,
  });
}
