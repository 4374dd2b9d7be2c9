import { runInNewContext } from "node:vm";
import type { ClientMessage, ProtocolDefinition, ServerMessage } from "@holdfast/protocol";
import type { ServerEnvironment, Server } from "@holdfast/server";
import { seeded } from "./seeded.js";
import { type MemoryRequest, type MemorySocket, MemoryTransport } from "../src/testing.js";

/**
 * The Promise of another realm: as good as ours, and no instance of it. Those of other libraries
 * are not either.
 */
export const ForeignPromise = runInNewContext("Promise") as PromiseConstructor;

interface Timer {
  at: number;
  readonly order: number;
  readonly run: () => void;
  readonly everyMs?: number;
}

/**
 * Virtual time: timers run when the test moves the clock, turns end when the test says so. The wall
 * clock goes along with the monotonic one, and can be set.
 */
export class VirtualEnvironment implements ServerEnvironment {
  #now = 0;
  #wallAhead = 1_800_000_000_000;
  #ids = 0;
  #timers: Timer[] = [];
  #order = 0;
  #turn: (() => void)[] = [];

  now = (): number => this.#now + this.#wallAhead;
  monotonic = (): number => this.#now;
  /** Sets the wall clock forwards, or back by a negative number. No time passes. */
  setWallClock = (byMs: number): void => void (this.#wallAhead += byMs);
  /** As a client takes it. */
  get clock() {
    return { now: this.now, monotonic: this.monotonic, after: this.after };
  }
  /** The first one, id-0, is that of the server. */
  readonly #random = seeded(1);
  random = (): number => this.#random();
  newId = (): string => `id-${this.#ids++}`;
  after = (delayMs: number, run: () => void) => this.#start({ at: this.#now + delayMs, order: this.#order++, run });
  afterIdle = (delayMs: number, run: () => void) => this.after(delayMs, run);
  every = (intervalMs: number, run: () => void) =>
    this.#start({ at: this.#now + intervalMs, order: this.#order++, run, everyMs: intervalMs });
  soon = (run: () => void): void => void this.#turn.push(run);
  atEndOfTurn = (run: () => void): void => void this.#turn.push(run);

  /** Timers that are running. After everything is closed there must be none. */
  get timers(): number {
    return this.#timers.length;
  }

  /**
   * The same time for a process of its own, with a wall clock of its own. It can be killed: then
   * nothing that it has started happens any more.
   */
  process(): ServerEnvironment & { kill(): void; setWallClock(byMs: number): void } {
    const started = new Set<() => void>();
    let isDead = false;
    let wallAhead = 0;
    const keep = (cancel: () => void): (() => void) => {
      started.add(cancel);
      return () => {
        started.delete(cancel);
        cancel();
      };
    };
    const after = (delayMs: number, run: () => void): (() => void) => {
      if (isDead) return () => {};
      const cancel = keep(
        this.after(delayMs, () => {
          cancel();
          run();
        }),
      );
      return cancel;
    };
    const alive = (run: () => void) => (): void => void (isDead || run());
    return {
      now: () => this.now() + wallAhead,
      setWallClock: (byMs) => void (wallAhead += byMs),
      monotonic: this.monotonic,
      random: this.random,
      newId: this.newId,
      after,
      afterIdle: after,
      every: (intervalMs, run) => (isDead ? () => {} : keep(this.every(intervalMs, run))),
      soon: (run) => this.soon(alive(run)),
      atEndOfTurn: (run) => this.atEndOfTurn(alive(run)),
      kill() {
        isDead = true;
        for (const cancel of started) cancel();
        started.clear();
      },
    };
  }

  endTurn(): boolean {
    const due = this.#turn;
    this.#turn = [];
    for (const run of due) run();
    return due.length > 0;
  }

  /** Runs the next timer due by `until`; false when there is none. */
  runNext(until: number): boolean {
    let next: Timer | undefined;
    for (const timer of this.#timers)
      if (timer.at <= until && (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)))
        next = timer;
    if (!next) {
      this.#now = Math.max(this.#now, until);
      return false;
    }
    this.#now = Math.max(this.#now, next.at);
    if (next.everyMs === undefined) this.#timers.splice(this.#timers.indexOf(next), 1);
    else next.at += next.everyMs;
    next.run();
    return true;
  }

  /** Lets time pass where nothing but timers has to move. */
  pass(ms: number): void {
    const until = this.#now + ms;
    while (this.runNext(until)) continue;
  }

  #start(timer: Timer): () => void {
    this.#timers.push(timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }
}

/**
 * Lets virtual time pass where there is no world: timers run at their moments, and what they begin
 * goes on in between.
 */
export async function pass(environment: VirtualEnvironment, ms: number): Promise<void> {
  const until = environment.monotonic() + ms;
  do await new Promise<void>((resolve) => void setImmediate(resolve));
  while (environment.runNext(until));
}

type Sent = ClientMessage | Record<string, unknown> | string | Uint8Array;

/** A raw peer: says what the test says, and remembers what it was told. */
export class Peer {
  readonly received: ServerMessage[] = [];
  closed: { code: number; reason: string } | undefined;

  constructor(
    readonly socket: MemorySocket,
    readonly world: World,
  ) {
    socket.onFrame = (frame) => void this.received.push(JSON.parse(frame) as ServerMessage);
    socket.onClosed = (code, reason) => void (this.closed = { code, reason });
  }

  /** Sends messages in one turn and lets everything come to rest. */
  async send(...messages: Sent[]): Promise<void> {
    for (const message of messages) {
      this.socket.send(
        typeof message === "string" || message instanceof Uint8Array ? message : JSON.stringify(message),
      );
    }
    await this.world.settle();
  }

  of<Type extends ServerMessage["type"]>(type: Type): (ServerMessage & { type: Type })[] {
    return this.received.filter((message): message is ServerMessage & { type: Type } => message.type === type);
  }

  last<Type extends ServerMessage["type"]>(type: Type): ServerMessage & { type: Type } {
    const found = this.of(type).at(-1);
    if (!found)
      throw new Error(
        `No ${type} was received, only ${this.received.map((message) => message.type).join(", ") || "nothing"}.`,
      );
    return found;
  }
}

/** A server on a transport without a network, in virtual time. */
export class World {
  readonly environment: VirtualEnvironment;
  readonly transport: MemoryTransport;

  constructor(server: Pick<Server<ProtocolDefinition>, "admission">, environment: VirtualEnvironment) {
    this.environment = environment;
    this.transport = new MemoryTransport(server);
  }

  /** Until nothing moves any more: promises, departures, frames. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3;) {
      for (let tick = 0; tick < 10; tick++) await Promise.resolve();
      const left = this.environment.endTurn();
      const moved = this.transport.step();
      quiet = left || moved ? 0 : quiet + 1;
    }
  }

  async connect(request: MemoryRequest = {}): Promise<Peer> {
    const result = await this.transport.connect(request);
    if (!result.ok) throw new Error(`HTTP ${result.status}: ${result.message}`);
    const peer = new Peer(result.socket, this);
    await this.settle();
    return peer;
  }

  /** The HTTP status of an upgrade that has to be refused. */
  async refused(request: MemoryRequest): Promise<number> {
    const result = await this.transport.connect(request);
    if (result.ok) throw new Error("The upgrade was accepted.");
    return result.status;
  }

  async advance(ms: number): Promise<void> {
    const until = this.environment.monotonic() + ms;
    await this.settle();
    while (this.environment.runNext(until)) await this.settle();
  }
}
