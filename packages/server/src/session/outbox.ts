import type { ServerEnvironment } from "../environment.js";
import type { Batch, Frame } from "../transport/frame.js";
import type { ServerSocket } from "../transport/socket.js";

/**
 * When things leave. Events wait for the end of the turn, so that what twenty clients cause in one
 * turn reaches a subscriber in one write; replies wait only until what is being read has been
 * handled. A connection owed both gets both at the earlier moment: the order of frames on a
 * connection is the order of calls, always.
 */
export class Departures {
  readonly #environment: ServerEnvironment;
  /** What a connection may be owed, here and in its socket, before it counts as too slow. */
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

/** Who is told when a connection is owed more than it may be. */
export interface Paced {
  tooSlow(owedBytes: number): void;
}

/** What one connection is owed. */
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
   * A quarter of what it may be owed is owed: there is still room for what cannot wait, twice over.
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
    // Asked once a write, not once a frame: what the network has not taken is the socket's to
    // count.
    const { bufferedBytes } = this.#socket;
    if (bufferedBytes > this.#departures.limitBytes) this.#owner.tooSlow(bufferedBytes);
  }

  #append(frame: Frame): void {
    const owed = this.#owed ? this.#owed.append(frame) : frame.batch;
    this.#owed = owed;
    if (owed.size > this.#departures.limitBytes) this.#owner.tooSlow(owed.size);
  }
}
