import { createServer, connect, type Server, type Socket } from "node:net";
import { seededRandom } from "./seeded-random.js";

/**
 * The faults that the proxy adds to its connections. Tests may change the faults while connections
 * are open.
 */
export interface Weather {
  /** Delay of each chunk, plus a random delay of at most `jitterMs`. Chunks stay in order. */
  readonly delayMs?: number;
  readonly jitterMs?: number;
  /** Bytes per second, in each direction. */
  readonly throttle?: number;
  /**
   * The largest chunk, in bytes. Larger chunks are split at random positions and written part by
   * part.
   */
  readonly slice?: number;
  /**
   * A new connection is reset (RST) at a random byte, at the latest after this many bytes of both
   * directions together.
   */
  readonly cutWithin?: number;
  /** New connections are refused. */
  readonly refuse?: boolean;
  /** New connections are accepted, but the proxy forwards nothing. */
  readonly blackhole?: boolean;
}

export type Direction = "up" | "down";

export interface ChaosOptions {
  /** The port on this machine to which the proxy forwards connections. */
  readonly to: number;
  readonly weather?: Weather;
  /** The seed of all random choices. A failing test should print the seed. */
  readonly seed?: number;
  /** Called with every chunk that arrives, before the faults apply. */
  readonly inspect?: (connection: ChaosConnection, direction: Direction, bytes: Buffer) => void;
}

/**
 * A TCP proxy between a client and a server on this machine that delays, throttles, splits and cuts
 * connections on purpose.
 */
export class ChaosProxy {
  weather: Weather;
  /** The port to which new connections are forwarded. */
  to: number;
  readonly connections = new Set<ChaosConnection>();
  /** Connections that have arrived so far, including refused connections. */
  accepted = 0;
  readonly random: () => number;
  readonly #options: ChaosOptions;
  readonly #server: Server;

  private constructor(options: ChaosOptions) {
    this.#options = options;
    this.weather = options.weather ?? {};
    this.to = options.to;
    this.random = seededRandom(options.seed ?? 1);
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => this.#accept(client));
  }

  static async start(options: ChaosOptions): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(options);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Stops forwarding without closing anything. Chunks in flight are delivered after `pass`. */
  blackhole(which: (connection: ChaosConnection) => boolean = () => true): void {
    for (const connection of this.connections) if (which(connection)) connection.hold();
  }

  /** Removes the faults of `weather` and resumes held connections. A planned `cutAt` stays. */
  pass(): void {
    this.weather = {};
    for (const connection of this.connections) connection.resume();
  }

  cut(which: (connection: ChaosConnection) => boolean = () => true): void {
    for (const connection of [...this.connections]) if (which(connection)) connection.cut();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    this.accepted++;
    if (this.weather.refuse) {
      client.resetAndDestroy();
      return;
    }
    const { inspect } = this.#options;
    const connection = new ChaosConnection(
      this,
      client,
      connect({ port: this.to, host: "127.0.0.1", allowHalfOpen: true }),
      inspect,
    );
    this.connections.add(connection);
    if (this.weather.blackhole) connection.hold();
  }
}

/**
 * One connection through the proxy. Its state is open, held (open, but nothing is forwarded) or
 * cut.
 */
export class ChaosConnection {
  state: "open" | "held" | "cut" = "open";
  /** A name by which a test finds the connection again. */
  name = "";
  /** Bytes received so far, both directions together. */
  bytes = 0;
  /** The byte at which the connection will be cut. */
  cutAt: number;
  readonly #proxy: ChaosProxy;
  readonly #lanes: readonly Lane[];

  constructor(proxy: ChaosProxy, client: Socket, server: Socket, inspect: ChaosOptions["inspect"]) {
    this.#proxy = proxy;
    const { cutWithin } = proxy.weather;
    this.cutAt = cutWithin === undefined ? Infinity : 1 + Math.floor(proxy.random() * cutWithin);
    const cut = (): void => this.cut();
    const lane = (from: Socket, to: Socket, direction: Direction): Lane =>
      new Lane(proxy, from, to, (piece) => {
        inspect?.(this, direction, piece);
        const before = this.bytes;
        this.bytes += piece.length;
        if (this.bytes < this.cutAt) return piece;
        // The bytes before `cutAt` are still delivered. Then the connection is cut.
        setImmediate(cut);
        return piece.subarray(0, Math.max(0, this.cutAt - before));
      });
    this.#lanes = [lane(client, server, "up"), lane(server, client, "down")];
    // If one socket fails, the other is closed too, as on a real network.
    for (const socket of [client, server]) socket.on("error", cut);
    for (const socket of [client, server]) socket.once("close", (hadError) => hadError && this.cut());
    let open = 2;
    for (const socket of [client, server]) socket.once("close", () => --open === 0 && this.cut());
  }

  hold(): void {
    if (this.state !== "open") return;
    this.state = "held";
    for (const lane of this.#lanes) lane.hold();
  }

  resume(): void {
    if (this.state !== "held") return;
    this.state = "open";
    for (const lane of this.#lanes) lane.resume();
  }

  cut(): void {
    if (this.state === "cut") return;
    this.state = "cut";
    this.#proxy.connections.delete(this);
    for (const lane of this.#lanes) lane.cut();
  }
}

interface Piece {
  readonly bytes: Buffer | undefined;
  readonly dueAt: number;
}

/** Bytes that may wait in one direction before the proxy stops reading from the sender. */
const MOST_WAITING = 1_048_576;

/**
 * One direction of a connection. Received chunks wait here until due. The end of the
 * stream (FIN) is the last chunk.
 */
class Lane {
  readonly #proxy: ChaosProxy;
  readonly #from: Socket;
  readonly #to: Socket;
  #waiting: Piece[] = [];
  #waitingBytes = 0;
  #lastDueAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #isHeld = false;

  constructor(proxy: ChaosProxy, from: Socket, to: Socket, take: (bytes: Buffer) => Buffer) {
    this.#proxy = proxy;
    this.#from = from;
    this.#to = to;
    from.on("data", (bytes) => this.#push(take(bytes)));
    from.once("end", () => this.#push(undefined));
    from.resume();
  }

  hold(): void {
    this.#isHeld = true;
    this.#from.pause();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  resume(): void {
    this.#isHeld = false;
    this.#from.resume();
    this.#go();
  }

  cut(): void {
    this.hold();
    this.#waiting = [];
    this.#from.resetAndDestroy();
  }

  #push(bytes: Buffer | undefined): void {
    const { delayMs = 0, jitterMs = 0, throttle, slice } = this.#proxy.weather;
    for (const piece of bytes === undefined ? [undefined] : this.#slices(bytes, slice)) {
      const size = piece?.length ?? 0;
      const now = performance.now();
      const takesMs = throttle === undefined ? 0 : (size / throttle) * 1_000;
      // A chunk is never due before the previous one. A throttle adds the time that this chunk
      // takes.
      const dueAt = Math.max(this.#lastDueAt + takesMs, now + delayMs + this.#proxy.random() * jitterMs + takesMs);
      this.#lastDueAt = dueAt;
      this.#waiting.push({ bytes: piece, dueAt });
      this.#waitingBytes += size;
    }
    if (this.#waitingBytes > MOST_WAITING) this.#from.pause();
    this.#go();
  }

  *#slices(bytes: Buffer, most: number | undefined): Generator<Buffer> {
    if (most === undefined) return yield bytes;
    for (let at = 0; at < bytes.length;) {
      const end = at + 1 + Math.floor(this.#proxy.random() * most);
      yield bytes.subarray(at, end);
      at = end;
    }
  }

  #go(): void {
    if (this.#isHeld || this.#timer) return;
    for (;;) {
      const piece = this.#waiting[0];
      if (!piece) break;
      const inMs = piece.dueAt - performance.now();
      if (inMs > 0) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#go();
        }, inMs);
        return;
      }
      this.#waiting.shift();
      this.#waitingBytes -= piece.bytes?.length ?? 0;
      if (piece.bytes) this.#to.write(piece.bytes);
      else this.#to.end();
    }
    if (this.#from.isPaused()) this.#from.resume();
  }
}
