import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { seededRandom } from "../support/seeded-random.js";
import { FaultWorld, scale } from "./fault-world.js";
import { reportFigures } from "../support/figures.js";
import { Balancer, InstanceProcess, instanceProgram } from "../support/instance-processes.js";

const wires = Array.from({ length: 5 }, (_, index) => `feed:${index}`);

test("[FT4] if instances are killed while they publish, each confirmed event reaches every client once", async (context) => {
  const world = new FaultWorld(context);
  const redis = await world.redis();
  const program = await instanceProgram();
  world.endsWith(program.end);
  const random = seededRandom(4);
  const instances: InstanceProcess[] = [];
  const balancer = await Balancer.start(() => instances.map(({ port }) => port).filter((port) => port > 0));
  world.endsWith(() => balancer.close());

  let lives = 0;
  const start = async (index: number): Promise<void> => {
    // Each restart of the process uses its own range of numbers.
    const orders = { redisUrl: redis.url, port: 0, wires, first: ++lives * 1_000_000 + index, step: 1, perSecond: 500 };
    const instance = new InstanceProcess(program.file, orders, (number, wire, at) =>
      // The clocks of the two processes may differ, so the recorded time is 20 ms earlier.
      // Otherwise an older event could count as published after a client had joined.
      world.publishedElsewhere(number, wire, at - performance.timeOrigin - 20),
    );
    world.endsWith(() => instance.kill());
    instances[index] = await instance.listening();
  };
  await start(0);
  await start(1);
  for (let index = 0; index < 10; index++)
    world.actor(balancer.port, { retry: { minMs: 100, maxMs: 1_000 } }).toggle(wires[index % 5]!);
  await world.joined(wires);

  const kills = scale(4, 20);
  for (let count = 0; count < kills; count++) {
    await delay(scale(1_000, 2_500) + random() * 500);
    await instances[count % 2]!.kill();
    await delay(200 + random() * 500);
    await start(count % 2);
  }
  await delay(2_000);
  await Promise.all(instances.map((instance) => instance.stop()));
  await world.caughtUp(redis.port, wires, 20_000);

  expect(await world.verify(redis.port, wires)).toEqual([]);
  const { length: confirmed } = world.confirmed;
  reportFigures("T4", { kills, confirmed, heard: world.heard(), resets: world.resets().length });
  expect(world.resets()).toEqual([]);
  expect(confirmed).toBeGreaterThan(kills * 500);
}, 180_000);
