import { createServer, connect, type Server, type Socket } from "node:net";
import { seededRandom } from "./seeded-random.js";

/**
 * What the network between two peers does to each connection. Everything can be changed while
 * connections are open.
 */
export interface Weather {
  /** Every piece is this late, and at random up to `jitterMs` more; order stays. */
  readonly delayMs?: number;
  readonly jitterMs?: number;
  /** Bytes a second, in each direction. */
  readonly throttle?: number;
  /** Pieces are cut up at random into such of at most so many bytes, each written by itself. */
  readonly slice?: number;
  /**
   * A new connection is cut (RST) at a random byte, at the latest after so many, both directions
   * counted together.
   */
  readonly cutWithin?: number;
  /** New connections are refused. */
  readonly refuse?: boolean;
  /** New connections are accepted, and nothing comes through. */
  readonly blackhole?: boolean;
}

export type Direction = "up" | "down";

export interface ChaosOptions {
  /** The port to pass on to, here on this machine. */
  readonly to: number;
  readonly weather?: Weather;
  /** All chance comes from it: say it when a test fails. */
  readonly seed?: number;
  /** Sees everything that comes in, before the weather. */
  readonly inspect?: (connection: ChaosConnection, direction: Direction, bytes: Buffer) => void;
}

/**
 * A network that misbehaves on purpose: a TCP proxy between a client and a server of the same
 * machine.
 */
export class ChaosProxy {
  weather: Weather;
  /** Where new connections go. */
  to: number;
  readonly connections = new Set<ChaosConnection>();
  /** How many there were. */
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

  /**
   * Nothing comes through any more, and nobody is told. What was under way arrives after `pass`.
   */
  blackhole(which: (connection: ChaosConnection) => boolean = () => true): void {
    for (const connection of this.connections) if (which(connection)) connection.hold();
  }

  /** Fair weather, also for what is open. */
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

/** One connection through the proxy. It is open, held (open, and nothing moves) or cut. */
export class ChaosConnection {
  state: "open" | "held" | "cut" = "open";
  /** Anything a test wants to know it by. */
  name = "";
  /** Bytes that came in so far, both directions together. */
  bytes = 0;
  /** The byte at which it will be cut. */
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
        // What came before that byte arrives; then the line is dead.
        setImmediate(cut);
        return piece.subarray(0, Math.max(0, this.cutAt - before));
      });
    this.#lanes = [lane(client, server, "up"), lane(server, client, "down")];
    // One end that fails takes the other with it, as the real thing would.
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

/** Bytes that wait in one lane before its sender is not read from any longer. */
const MOST_WAITING = 1_048_576;

/**
 * One direction: what came in waits here until the weather lets it go on. An end (FIN) is the last
 * piece.
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
      // Never before the one in front of it, and with a throttle after what that one took.
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
