import type { Batch } from "./frame.js";
import { type Admission, closeReason, type ServerSocket, type SocketOwner } from "./socket.js";

/** The client's end of an in-memory connection. */
export interface MemorySocket {
  /**
   * Sends a frame to the server. The frame arrives when the test calls `MemoryTransport.flush` or
   * `step`.
   */
  send(frame: string | Uint8Array): void;
  /**
   * Delivers a frame at once, even if the server has paused the socket. This imitates data that a
   * TCP socket had read before the pause.
   */
  force(frame: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  /** If true, the client reads nothing, and frames pile up at the server. */
  stall(stalled: boolean): void;
  /** Closes both ends with 1006 and loses the frames in flight. */
  drop(): void;
  readonly state: "open" | "closed";
  /** False while the server has paused the socket. */
  readonly isRead: boolean;
  readonly subprotocol: string | undefined;
  onFrame: ((frame: string) => void) | undefined;
  onClosed: ((code: number, reason: string) => void) | undefined;
}

export type MemoryConnect = { ok: true; socket: MemorySocket } | { ok: false; status: number; message: string };

export interface MemoryRequest {
  /** Path and query of the upgrade request. @default "/ws" */
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly remoteAddress?: string;
}

/**
 * A transport without a network. Frames wait in queues and move only when the test calls `step` or
 * `flush`. The test therefore controls the order, the loss and the moment of a disconnect, and
 * needs no port and no sleep.
 */
export class MemoryTransport {
  readonly #admission: Admission;
  readonly #pipes = new Set<Pipe>();

  constructor(server: {
    /** @internal */
    readonly admission: Admission;
  }) {
    this.#admission = server.admission;
  }

  async connect({
    url = "/ws",
    headers = {},
    remoteAddress = "127.0.0.1",
  }: MemoryRequest = {}): Promise<MemoryConnect> {
    const verdict = await this.#admission({ url, headers, remoteAddress });
    if (verdict.kind === "refuse") return { ok: false, status: verdict.status, message: verdict.message };
    const pipe = new Pipe(remoteAddress, verdict.subprotocol, () => this.#pipes.delete(pipe));
    this.#pipes.add(pipe);
    if (verdict.kind === "close") pipe.close(verdict.code, verdict.reason);
    else pipe.owner = verdict.open(pipe);
    return { ok: true, socket: pipe.client };
  }

  /**
   * Moves one frame or close of each connection in each direction, unless the direction is paused
   * or stalled. Returns true if anything moved.
   */
  step(): boolean {
    let moved = false;
    for (const pipe of [...this.#pipes]) moved = pipe.step() || moved;
    return moved;
  }

  /** Calls `step` until nothing moves. Frames that are sent while `flush` runs move too. */
  flush(): void {
    for (let steps = 0; this.step(); steps++)
      if (steps > 100_000) throw new Error("The connections kept sending for 100,000 steps.");
  }

  /** Cuts off every connection, as if the process had been killed. */
  drop(): void {
    for (const pipe of [...this.#pipes]) pipe.client.drop();
  }

  /** The number of open connections. */
  get size(): number {
    return this.#pipes.size;
  }
}

type Item = { frame: string | Uint8Array } | { code: number; reason: string };

class Pipe implements ServerSocket {
  owner: SocketOwner | undefined;
  readonly client: MemorySocket;
  #toClient: Item[] = [];
  #toServer: Item[] = [];
  #serverClosing = false;
  #paused = false;
  #stalled = false;
  #open = true;
  readonly #onEnd: () => void;

  constructor(
    readonly remoteAddress: string,
    subprotocol: string | undefined,
    onEnd: () => void,
  ) {
    this.#onEnd = onEnd;
    const pipe = this;
    this.client = {
      subprotocol,
      onFrame: undefined,
      onClosed: undefined,
      get state() {
        return pipe.#open ? "open" : "closed";
      },
      get isRead() {
        return !pipe.#paused;
      },
      send: (frame) => void (this.#open && this.#toServer.push({ frame })),
      force: (frame) => void (this.#open && this.owner?.onFrame(frame)),
      close: (code = 1000, reason = "") => void (this.#open && this.#toServer.push({ code, reason })),
      stall: (stalled) => void (this.#stalled = stalled),
      drop: () => this.#end(1006, "", 1006),
    };
  }

  get bufferedBytes(): number {
    return this.#toClient.reduce((sum, item) => sum + ("frame" in item ? item.frame.length : 0), 0);
  }

  write(batch: Batch): void {
    if (this.#open && !this.#serverClosing)
      for (const frame of batch.frames()) this.#toClient.push({ frame: frame.text });
  }

  close(code: number, reason: string): void {
    if (this.#serverClosing || !this.#open) return;
    this.#serverClosing = true;
    this.#toClient.push({ code, reason: closeReason(reason) });
  }

  dismiss(code: number, reason: string): void {
    this.close(code, reason);
  }

  terminate(): void {
    this.#end(1006, "", 1006);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  step(): boolean {
    const down = this.#stalled ? undefined : this.#toClient.shift();
    if (down && "frame" in down) this.client.onFrame?.(down.frame as string);
    else if (down) this.#end(down.code, down.reason, down.code);
    if (this.#paused || !this.#open) return down !== undefined;
    const up = this.#toServer.shift();
    if (up && "frame" in up) this.owner?.onFrame(up.frame);
    else if (up) this.#end(up.code, up.reason, up.code);
    return down !== undefined || up !== undefined;
  }

  #end(clientCode: number, reason: string, serverCode: number): void {
    if (!this.#open) return;
    this.#open = false;
    this.#toClient = [];
    this.#toServer = [];
    this.#onEnd();
    this.owner?.onClosed(serverCode);
    this.client.onClosed?.(clientCode, reason);
  }
}
