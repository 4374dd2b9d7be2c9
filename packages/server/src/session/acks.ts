/** Why a direct event was not delivered, or not as far as is known. */
export type DeliveryFailure =
  /** No connection of the device was there to send it on. */
  | "not_connected"
  /** The connection ended before it answered; whether the event was handled is not known. */
  | "disconnected"
  /** No answer in time; whether the event was handled is not known. */
  | "timeout"
  /** Nobody listens to this event in the client. */
  | "not_handled"
  /** The client could not read its data: it runs another version of the protocol. */
  | "invalid"
  /** A handler of the client threw or rejected. */
  | "handler_failed";

type Settle = (failure: DeliveryFailure | undefined) => void;

/**
 * The acks that one connection owes, by the id of the event. Another connection's ack counts for
 * nothing.
 */
export class Acks {
  readonly #owed = new Map<string, Settle>();

  get size(): number {
    return this.#owed.size;
  }

  /** Resolves when the client has answered, or will not; with the failure, where there is one. */
  expect(id: string): Promise<DeliveryFailure | undefined> {
    return new Promise((resolve) => this.#owed.set(id, resolve));
  }

  /** An ack that nothing waits for (a second one, a late one, an invented one) changes nothing. */
  settle(id: string, failure: DeliveryFailure | undefined): void {
    const settle = this.#owed.get(id);
    this.#owed.delete(id);
    settle?.(failure);
  }

  /** The connection is gone: nothing more will be heard from it. */
  abandon(): void {
    for (const id of [...this.#owed.keys()]) this.settle(id, "disconnected");
  }
}
