import type { ServerEnvironment } from "../environment.js";
import type { Batch, Frame } from "../transport/frame.js";
import type { ServerSocket } from "../transport/socket.js";

/**
 * Decides when the outboxes of all connections are flushed. There are two moments. Replies leave as
 * soon as the frames that were just read are handled. Events wait until the end of the event loop's
 * turn, so the events that twenty clients cause in one turn reach a subscriber in one write.
 *
 * If a connection has both, both leave at the earlier moment. The frames of a connection always
 * leave in the order in which they were queued. This class only schedules; the frames are in
 * `Outbox`.
 */
export class Departures {
  readonly #environment: ServerEnvironment;
  /**
   * The most bytes that may wait for one connection, here or in its socket. Above it, the
   * connection is closed as too slow.
   */
  readonly limitBytes: number;
  #soon: Outbox[] = [];
  #later: Outbox[] = [];

  constructor(environment: ServerEnvironment, limitBytes: number) {
    this.#environment = environment;
    this.limitBytes = limitBytes;
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

/** Told when more bytes wait for a connection than the limit allows. */
export interface Paced {
  tooSlow(owedBytes: number): void;
}

/** The frames that wait to be written to one connection. `Departures` decides when they leave. */
export class Outbox {
  readonly #socket: ServerSocket;
  readonly #departures: Departures;
  readonly #owner: Paced;
  #owed: Batch | undefined;
  #replyOwed = false;

  constructor(socket: ServerSocket, departures: Departures, owner: Paced) {
    this.#socket = socket;
    this.#departures = departures;
    this.#owner = owner;
  }

  /**
   * True if more than a quarter of the limit waits. Presence and large answers then pause, which
   * leaves room for events and replies.
   */
  get isBehind(): boolean {
    return (this.#owed?.size ?? 0) + this.#socket.bufferedBytes > this.#departures.limitBytes / 4;
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
    // Checked once per write instead of once per frame: only the socket knows which bytes the
    // network has not accepted yet.
    const { bufferedBytes } = this.#socket;
    if (bufferedBytes > this.#departures.limitBytes) this.#owner.tooSlow(bufferedBytes);
  }

  #append(frame: Frame): void {
    const owed = this.#owed ? this.#owed.append(frame) : frame.batch;
    this.#owed = owed;
    if (owed.size > this.#departures.limitBytes) this.#owner.tooSlow(owed.size);
  }
}
