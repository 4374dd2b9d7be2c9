import type { Protocol, ProtocolDefinition } from "@holdfast/protocol";
import { createServer, type Server, type ServerOptions } from "@holdfast/server";
import type { MemoryTransport } from "../../src/testing.js";
import { MemoryClients } from "./memory-clients.js";
import { ServerHarness } from "./server-harness.js";
import { VirtualEnvironment } from "./virtual-environment.js";
import { SimBroker } from "./sim-broker.js";

const SERVERS = 3;

export interface SimInstance<P extends ProtocolDefinition> {
  readonly server: Server<P>;
  readonly world: ServerHarness;
  readonly transport: MemoryTransport;
  readonly link: SimBroker["links"][number];
  kill(): void;
}

/**
 * Several servers that share a broker, with restarts, outages and lost announcements, in virtual
 * time. The seed decides all random choices.
 */
export class SimServers<P extends ProtocolDefinition> {
  readonly random: () => number;
  readonly environment = new VirtualEnvironment();
  readonly broker: SimBroker;
  readonly net: MemoryClients;
  readonly #protocol: Protocol<P>;
  readonly #instances: (SimInstance<P> | undefined)[] = [];

  /**
   * `random` must be the generator of the seed. Earlier uses must be the same on each run.
   */
  constructor(protocol: Protocol<P>, random: () => number, idsAreOffsets = false) {
    this.#protocol = protocol;
    this.random = random;
    const rough = random() < 0.5;
    this.broker = new SimBroker(
      {
        random,
        latencyMs: 1 + random() * 20,
        lost: rough ? 0.02 : 0,
        twice: rough ? 0.02 : 0,
        overtaken: rough ? 0.02 : 0,
      },
      idsAreOffsets,
    );
    for (let count = 0; count < SERVERS; count++) this.#instances.push(this.#start());
    // Each connection goes to a random instance, as with a load balancer.
    this.net = new MemoryClients(() => this.pick(this.alive())?.world, random);
  }

  deafen(instance: SimInstance<P> | undefined, isDeaf: boolean): void {
    if (instance) instance.link.isDeaf = isDeaf;
  }

  restart(): void {
    const index = Math.floor(this.random() * SERVERS);
    const instance = this.#instances[index];
    if (!instance) return;
    this.#instances[index] = undefined;
    instance.kill();
    this.later(this.random() * 5_000, () => void (this.#instances[index] = this.#start()));
  }

  /** Begins a fault that ends after a random time of at most `ms`. */
  during(ms: number, begin: () => void, end: () => void): void {
    begin();
    this.later(this.random() * ms, end);
  }

  later(ms: number, run: () => void): void {
    this.environment.after(ms, run);
  }

  /** Adds to the time that the next `advance` lets pass. */
  #waiting = 0;
  wait(ms: number): void {
    this.#waiting += ms;
  }

  #start(): SimInstance<P> {
    const environment = this.environment.process();
    const server = createServer(this.#protocol, { environment, broker: this.broker } as ServerOptions<P, undefined>);
    const link = this.broker.links.at(-1)!;
    const world = new ServerHarness(server, this.environment);
    return {
      server,
      world,
      transport: world.transport,
      link,
      kill: () => {
        environment.kill();
        this.broker.links.splice(this.broker.links.indexOf(link), 1);
        link.cut();
        world.transport.drop();
      },
    };
  }

  alive(): SimInstance<P>[] {
    return this.#instances.filter((instance) => instance !== undefined);
  }

  /** Runs one round of everything that can move while no time passes. */
  async move(): Promise<boolean> {
    for (let tick = 0; tick < 10; tick++) await Promise.resolve();
    let moved = this.environment.endTurn();
    for (const { transport } of this.alive()) moved = transport.step() || moved;
    return moved;
  }

  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 2;) quiet = (await this.move()) ? 0 : quiet + 1;
  }

  async advance(ms: number): Promise<void> {
    const until = this.environment.monotonic() + ms + this.#waiting;
    this.#waiting = 0;
    await this.settle();
    while (this.environment.runNext(until)) await this.settle();
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.random() * items.length)];
  }
}
