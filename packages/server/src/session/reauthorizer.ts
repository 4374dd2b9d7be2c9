import type { Connection } from "./connection.js";

/**
 * Asks `authorize` again when permissions may have changed. Sessions and instances know this much
 * of the subscriptions.
 */
export interface Reauthorizer {
  /**
   * Removes the connection from each joined channel that it may not join any more. Resolves when
   * every answer is in.
   */
  reauthorize(connection: Connection): Promise<void>;
}
