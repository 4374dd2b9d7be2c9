import { type ClientMessageOf, HoldfastError } from "@holdfast/protocol";
import type { Logger } from "../observe/logger.js";
import type { Connection } from "../session/connection.js";
import type { Reauthorizer } from "../session/reauthorizer.js";
import type { Authenticator } from "./authenticator.js";
import { acceptAuth, refuseAuth } from "./handshake.js";

/**
 * Newer credentials that may wait to be checked; a client has no use for a second one before the
 * first is answered.
 */
const MAX_REFRESHES = 8;

export interface RefreshParts {
  readonly authenticator: Authenticator;
  readonly logger: Logger;
  /** The identity is another one: what was granted to the older one is asked for anew. */
  readonly permissions: Reauthorizer;
}

/** `auth` on a live connection: a newer credential of the same user, on the same device. */
export class Refreshes {
  readonly #parts: RefreshParts;
  /** The refreshes of each connection that are not answered yet. */
  readonly #pending = new WeakMap<Connection, { count: number; last: Promise<void> }>();

  constructor(parts: RefreshParts) {
    this.#parts = parts;
  }

  /**
   * One after the other, or a slow answer about an older token would replace the identity of a
   * newer one.
   */
  start(connection: Connection, message: ClientMessageOf<"auth">): void {
    const refreshes = this.#pending.get(connection) ?? { count: 0, last: Promise.resolve() };
    this.#pending.set(connection, refreshes);
    if (refreshes.count === MAX_REFRESHES) return connection.close("RATE_LIMITED", '{"retryAfterMs":1000}');
    refreshes.count++;
    refreshes.last = refreshes.last
      .then(() => (connection.isOpen ? this.#refresh(connection, message) : undefined))
      .catch((error: unknown) => {
        this.#parts.logger.error({ session: connection.sessionId, err: error }, "a credential could not be refreshed");
        connection.close("INTERNAL", "the server failed");
      })
      .finally(() => refreshes.count--);
  }

  async #refresh(connection: Connection, message: ClientMessageOf<"auth">): Promise<void> {
    const { token, device_id: deviceId } = message.data;
    // A client that introduces itself to a server that has greeted it already: there is nothing new
    // in it.
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
    // What the newer token says may be less than the older one did. A next one need not wait for
    // the answers.
    permissions
      .reauthorize(connection)
      .catch((error: unknown) =>
        logger.error({ session: connection.sessionId, err: error }, "permissions could not be asked about again"),
      );
  }
}

function another(what: "user" | "device"): HoldfastError {
  return new HoldfastError("UNAUTHENTICATED", `The token is of another ${what}.`, {
    remedy: `Open a new connection for another ${what}.`,
  });
}
