import type { Server } from "@holdfast/server";
import type { Fleet } from "./fleet.js";
import { HostUsage } from "./host-usage.js";
import { readUsage } from "./process-usage.js";
import type { agents, Sample } from "./protocol.js";

// Below 1 s, because the example promises a sample every second, and timers fire late.
const PERIOD_MS = 950;
/** The number of samples to store: two minutes, the period that a newly opened page shows. */
const KEPT = 125;

/**
 * Samples the usage of the processes and the host, and the deliveries of the server. Keeps the
 * samples of the last two minutes.
 */
export class Metrics {
  readonly #server: Server<typeof agents.definition>;
  readonly #fleet: Fleet;
  readonly #instance: string | undefined;
  readonly #host = new HostUsage();
  readonly #samples: Sample[] = [];
  #timer: NodeJS.Timeout | undefined;
  #reading = false;
  /**
   * When the last sample was taken, by the monotonic clock, because setting the wall clock must not
   * change a rate.
   */
  #sampledAt = performance.now();
  #connections = 0;
  #delivered = 0;

  constructor(server: Server<typeof agents.definition>, fleet: Fleet, instance?: string) {
    this.#server = server;
    this.#fleet = fleet;
    this.#instance = instance;
  }

  /** The last samples, oldest first. */
  get recent(): Sample[] {
    return [...this.#samples];
  }

  start(): void {
    if (this.#timer) return;
    this.#sampledAt = performance.now();
    this.#timer = setInterval(() => void this.#sample(), PERIOD_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #sample(): Promise<void> {
    // If a reading takes longer than the period, no second reading may start.
    if (this.#reading) return;
    this.#reading = true;
    const [at, began] = [new Date(), performance.now()];
    const living = this.#fleet.living();
    const usage = await readUsage(living.map(({ pid }) => pid));
    this.#reading = false;
    if (this.#timer === undefined) return;
    const { connections, published } = this.#server.stats();
    const seconds = (began - this.#sampledAt) / 1_000;
    this.#sampledAt = began;
    const sample: Sample = {
      at,
      instance: this.#instance,
      host: this.#host.read(),
      server: {
        connections: connections.active,
        deliveriesPerSecond: Math.round((published.delivered - this.#delivered) / seconds),
      },
      agents: living.flatMap(({ id, pid }) => {
        const used = usage.get(pid);
        return used ? [{ agentId: id, ...used }] : [];
      }),
    };
    this.#delivered = published.delivered;
    this.#samples.push(sample);
    if (this.#samples.length > KEPT) this.#samples.shift();
    // If Redis is unreachable, no page receives this sample. The next sample follows in a second.
    this.#server
      .channel("metrics")
      .publish("sampled", sample)
      .catch(() => {});

    if (connections.active === this.#connections) return;
    this.#connections = connections.active;
    const changed = { connections: connections.active, at, instance: this.#instance };
    this.#server
      .channel("system-events")
      .publish("connectionsChanged", changed)
      .catch(() => {});
  }
}
