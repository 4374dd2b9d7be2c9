import { createServer, type Identity, type Server, type ServerOptions } from "@holdfast/server";
import type { MemoryRequest } from "../../src/testing.js";
import { auth, authenticate, player, subscribe } from "./identity-server.js";
import { type Peer, ServerHarness } from "./server-harness.js";
import { VirtualEnvironment } from "./virtual-environment.js";
import { FaultyBroker } from "./faulty-broker.js";

type Definition = typeof player.definition;
export type InstanceOptions = ServerOptions<Definition, Identity, { seen: number }>;

/** One server instance of a group that shares a broker. */
export class GroupInstance extends ServerHarness {
  readonly server: Server<Definition, Identity, { seen: number }>;
  readonly id: string;
  readonly kill: () => void;
  readonly setWallClock: (byMs: number) => void;
  /** The fields of all warnings and errors that the instance logged. */
  readonly logged: object[];
  readonly #all: InstanceGroup;

  constructor(all: InstanceGroup, options: InstanceOptions) {
    const environment = all.environment.process();
    const logged: object[] = [];
    const log = (fields: object) => void logged.push(fields);
    const server = createServer(player, {
      authenticate: authenticate as InstanceOptions["authenticate"] & {},
      sessionData: () => ({ seen: 0 }),
      logger: { debug: () => {}, info: () => {}, warn: log, error: log },
      ...options,
      broker: all.broker,
      environment,
    });
    super(server, all.environment);
    this.server = server;
    this.logged = logged;
    this.#all = all;
    this.id = all.broker.links.at(-1)!.instance.id;
    this.setWallClock = environment.setWallClock;
    this.kill = () => {
      environment.kill();
      all.broker.kill(this.id);
      all.living.delete(this);
      for (const peer of this.peers) peer.socket.drop();
    };
  }

  readonly peers: Peer[] = [];

  override settle(): Promise<void> {
    return this.#all.settle();
  }

  override async connect(request: MemoryRequest = {}): Promise<Peer> {
    const peer = await super.connect(request);
    this.peers.push(peer);
    return peer;
  }

  /** Connects to this instance, then sends `auth` and the messages in `more` in one turn. */
  async enter(token: string, said: object = {}, ...more: object[]): Promise<Peer> {
    const peer = await this.connect();
    await peer.send(auth(token, said), ...(more as Record<string, unknown>[]));
    return peer;
  }

  get user() {
    return this.server.user.bind(this.server);
  }
}

/** A group of server instances that share one broker and one virtual time. */
export class InstanceGroup {
  readonly environment = new VirtualEnvironment();
  readonly broker = new FaultyBroker(this.environment);
  readonly living = new Set<GroupInstance>();

  start(options: InstanceOptions = {}): GroupInstance {
    const instance = new GroupInstance(this, options);
    this.living.add(instance);
    return instance;
  }

  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3;) {
      for (let tick = 0; tick < 20; tick++) await Promise.resolve();
      let moved = this.environment.endTurn();
      for (const { transport } of this.living) moved = transport.step() || moved;
      quiet = moved ? 0 : quiet + 1;
    }
  }

  async advance(ms: number): Promise<void> {
    const until = this.environment.monotonic() + ms;
    await this.settle();
    while (this.environment.runNext(until)) await this.settle();
  }

  /**
   * Advances virtual time while all peers send a pong every 20 s, so that the heartbeat keeps the
   * connections.
   */
  async stay(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 20_000) {
      await this.advance(Math.min(left, 20_000));
      for (const { peers } of this.living)
        for (const peer of peers) if (!peer.closed) await peer.send({ type: "pong" });
    }
  }

  /** Closes all instances of the group. */
  async end(): Promise<void> {
    const closing = [...this.living].map(({ server }) => server.close({ graceMs: 10 }));
    await this.advance(20_000);
    await Promise.all(closing);
  }
}

/** Starts a group of `count` instances with the same options. */
export async function startInstances(
  count: number,
  options: InstanceOptions = {},
): Promise<[InstanceGroup, ...GroupInstance[]]> {
  const all = new InstanceGroup();
  const instances = Array.from({ length: count }, () => all.start(options));
  await all.settle();
  return [all, ...instances];
}

/** The channel with presence that the tests of several instances use. */
export const ROOM = "room:a";
/** A `set_presence` message for the room. */
export const shows = (name: string) => ({ type: "set_presence", channel: ROOM, data: { name } });
/** Messages that join the room and set presence. */
export const inRoom = (name: string) => [subscribe(ROOM), shows(name)] as const;
/** The data of all events that the peer received. */
export const heard = (peer: Peer): unknown[] => peer.of("event").map(({ data }) => data);

/**
 * Answers the newest event that requests an acknowledgement. With `failure`, the answer reports a
 * failed handler.
 */
export async function acknowledge(peer: Peer, failure?: string): Promise<void> {
  const asking = peer.of("event").findLast(({ metadata }) => metadata?.ack);
  await peer.send({ type: "ack", data: { id: asking?.metadata?.id ?? "", failure } });
}
