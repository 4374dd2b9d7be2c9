/** Why a direct event was not delivered to a device, or why the delivery could not be confirmed. */
export type DeliveryFailure =
  /** The device had no connection. */
  | "not_connected"
  /**
   * The connection closed before the client answered. The client may or may not have handled the
   * event.
   */
  | "disconnected"
  /** The client did not answer in time, and may or may not have handled the event. */
  | "timeout"
  /** The client has no handler for this event. */
  | "not_handled"
  /**
   * The client could not read the event's data, usually because the client runs another version of
   * the protocol.
   */
  | "invalid"
  /** A handler of the client threw or rejected. */
  | "handler_failed";

type Settle = (failure: DeliveryFailure | undefined) => void;

/**
 * The acknowledgements that the server expects from one connection, by the id of the event. An
 * acknowledgement from another connection has no effect.
 */
export class Acks {
  readonly #owed = new Map<string, Settle>();

  get size(): number {
    return this.#owed.size;
  }

  /**
   * Resolves when the client has answered, when `settle` reports a timeout, or when the connection
   * closes. The value is the failure, or undefined if the client handled the event.
   */
  expect(id: string): Promise<DeliveryFailure | undefined> {
    return new Promise((resolve) => this.#owed.set(id, resolve));
  }

  /**
   * Resolves the pending acknowledgement. An id that is not pending (duplicate, late or invented)
   * is ignored.
   */
  settle(id: string, failure: DeliveryFailure | undefined): void {
    const settle = this.#owed.get(id);
    this.#owed.delete(id);
    settle?.(failure);
  }

  /** The connection has closed, so all pending acknowledgements fail. */
  abandon(): void {
    for (const id of [...this.#owed.keys()]) this.settle(id, "disconnected");
  }
}
