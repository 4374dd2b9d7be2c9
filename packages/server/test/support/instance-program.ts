/**
 * A program with one server instance that tests start as a process and kill. It publishes
 * continuously and reports to its parent the publications that the store confirmed. Reports that
 * were not sent before the process was killed are lost.
 */
import { createServer } from "@holdfast/server";
import { redisBroker } from "@holdfast/server/redis";
import { numbers } from "./numbers-protocol.js";

export interface Orders {
  readonly redisUrl: string;
  readonly port: number;
  readonly wires: readonly string[];
  /** The first number to publish. The next numbers follow in increments of `step`. */
  readonly first: number;
  readonly step: number;
  readonly perSecond: number;
}

/** `at`: when the event was published, in milliseconds since 1970. */
export type Told = readonly [number: number, wire: string, at: number];

export type News =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "confirmed"; readonly numbers: readonly Told[] }
  | { readonly kind: "stopped"; readonly next: number };

const tell = (news: News): void => void process.send?.(news);

process.once("message", (orders: Orders) => void run(orders));
process.once("disconnect", () => process.exit(0));

async function run({ redisUrl, port, wires, first, step, perSecond }: Orders): Promise<void> {
  const server = createServer(numbers, { broker: redisBroker({ url: redisUrl }) });
  const listening = await server.listen(port);
  tell({ kind: "listening", port: listening.port });
  let number = first;
  let due = 0;
  let confirmed: Told[] = [];
  let stopping = false;
  const start = performance.now();
  let done = 0;
  const pending = new Set<Promise<unknown>>();
  const publish = (): void => {
    const mine = number;
    number += step;
    const at = performance.timeOrigin + performance.now();
    const wire = wires[mine % wires.length]!;
    const publishing = server
      .channel("feed", wire.split(":")[1]!)
      .publish("number", mine)
      .then(
        () => confirmed.push([mine, wire, at]),
        () => undefined,
      );
    pending.add(publishing);
    void publishing.finally(() => pending.delete(publishing));
  };
  const timer = setInterval(() => {
    due = ((performance.now() - start) / 1_000) * perSecond;
    for (; done < due && !stopping; done++) publish();
    if (confirmed.length > 0) tell({ kind: "confirmed", numbers: confirmed });
    confirmed = [];
  }, 2);
  process.on("message", () => {
    stopping = true;
    void Promise.allSettled(pending).then(() => {
      clearInterval(timer);
      tell({ kind: "confirmed", numbers: confirmed });
      tell({ kind: "stopped", next: number });
    });
  });
}
