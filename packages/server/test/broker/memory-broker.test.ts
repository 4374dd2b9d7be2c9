import { expect, test } from "vitest";
import { memoryBroker, MemoryStore } from "../../src/broker/memory-broker.js";
import { nodeEnvironment } from "../../src/environment.js";
import { silentLogger } from "../../src/observe/logger.js";
import { VirtualEnvironment } from "../world.js";
import { brokerContract } from "./broker-contract.js";

brokerContract("memoryBroker", () => {
  let passed = 0;
  return {
    broker: memoryBroker,
    environment: { ...nodeEnvironment, now: () => Date.now() + passed },
    pass: async (ms) => void (passed += ms),
  };
});

test("[RV20] the memory broker forgets topics that nobody has touched, and leaves no timer when all are gone", async () => {
  const environment = new VirtualEnvironment();
  const store = new MemoryStore();
  const link = store.join({
    id: "i",
    protocol: "p",
    environment,
    logger: silentLogger,
    receive() {},
    onDoubt() {},
    onGone() {},
    onForgotten() {},
  });
  await link.read("asked-for", { ttlMs: 600_000 });
  await link.subscribe("followed");
  await link.read("followed", { ttlMs: 600_000 });
  await link.publish("kept", "1", "x", { log: { size: 5, ttlMs: 60_000 }, key: "k" });
  environment.pass(95_000);
  // Its events have run out, and where it stands has not.
  expect(store.topics.get("kept")).toMatchObject({ offset: 1, log: [] });
  environment.pass(600_000);
  expect([...store.topics.keys()].sort()).toEqual(["followed", "kept"]);
  expect(store.topics.get("kept")!.keys.size).toBe(0);
  environment.pass(31 * 24 * 3_600_000);
  expect([...store.topics.keys()]).toEqual(["followed"]);
  link.unsubscribe("followed");
  environment.pass(60_000);
  expect(store.topics.size).toBe(0);
  expect(environment.timers).toBe(0);
  await link.publish("kept", "1", "x", { log: { size: 5, ttlMs: 60_000 } });
  await link.close();
  expect(environment.timers).toBe(0);
});
