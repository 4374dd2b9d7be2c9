import type { Environment } from "../environment.js";
import type { Batch, Frame } from "../transport/frame.js";
import type { ServerSocket } from "../transport/socket.js";

/**
 * When things leave. Events wait for the end of the turn, so that what twenty clients cause in one turn reaches a subscriber
 * in one write; replies wait only until what is being read has been handled. A connection owed both gets both at the earlier
 * moment: the order of frames on a connection is the order of calls, always.
 */
export class Departures {
  readonly #environment: Environment;
  #soon: Outbox[] = [];
  #later: Outbox[] = [];

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  soon(outbox: Outbox): void {
    if (this.#soon.push(outbox) === 1) this.#environment.soon(this.#leaveSoon);
  }

  later(outbox: Outbox): void {
    if (this.#later.push(outbox) === 1) this.#environment.atEndOfTurn(this.#leaveLater);
  }

  readonly #leaveSoon = (): void => {
    const leaving = this.#soon;
    this.#soon = [];
    for (const outbox of leaving) outbox.flush();
  };

  readonly #leaveLater = (): void => {
    const leaving = this.#later;
    this.#later = [];
    for (const outbox of leaving) outbox.flush();
  };
}

/** What one connection is owed. */
export class Outbox {
  readonly #socket: ServerSocket;
  readonly #departures: Departures;
  #owed: Batch | undefined;
  #replyOwed = false;

  constructor(socket: ServerSocket, departures: Departures) {
    this.#socket = socket;
    this.#departures = departures;
  }

  /** Bytes not yet taken by the network: what waits here, and what waits in the socket. */
  get size(): number {
    return (this.#owed?.size ?? 0) + this.#socket.bufferedBytes;
  }

  reply(frame: Frame): void {
    this.#append(frame);
    if (this.#replyOwed) return;
    this.#replyOwed = true;
    this.#departures.soon(this);
  }

  event(frame: Frame): void {
    if (!this.#owed) this.#departures.later(this);
    this.#append(frame);
  }

  flush(): void {
    this.#replyOwed = false;
    const owed = this.#owed;
    if (!owed) return;
    this.#owed = undefined;
    this.#socket.write(owed);
  }

  #append(frame: Frame): void {
    this.#owed = this.#owed ? this.#owed.append(frame) : frame.batch;
  }
}
