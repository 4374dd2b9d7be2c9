import type { Connection } from "./connection.js";

/**
 * Calls `authorize` again if permissions may have changed. This interface is all that sessions and
 * instances know of the subscriptions.
 */
export interface Reauthorizer {
  /**
   * Checks every joined channel of the connection and removes the connection from the channels that
   * it may no longer join. Resolves when every answer has arrived.
   */
  reauthorize(connection: Connection): Promise<void>;
}
