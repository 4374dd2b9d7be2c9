import { expect, test } from "vitest";
import { memoryBroker, MemoryStore } from "../../src/broker/memory-broker.js";
import { nodeEnvironment } from "../../src/environment.js";
import { silentLogger } from "../../src/observe/logger.js";
import { VirtualEnvironment } from "../support/virtual-environment.js";
import { brokerContract } from "./broker-contract.js";

brokerContract("memoryBroker", () => {
  let passed = 0;
  const pass = async (ms: number): Promise<void> => void (passed += ms);
  return {
    broker: memoryBroker,
    environment: { ...nodeEnvironment, monotonic: () => performance.now() + passed },
    pass,
    forget: () => pass(31 * 24 * 3_600_000),
  };
});

test("[RV20] the memory broker forgets idle topics and leaves no timer when no topic remains", async () => {
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
  // The events have expired, the position has not.
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

test("[BR58] beyond 100,000 idle topics the memory broker drops the oldest, but keeps each topic with a document until the topic expires", async () => {
  const environment = new VirtualEnvironment();
  const log = { size: 5, ttlMs: 60_000 };
  const days = (count: number): number => count * 24 * 3_600_000;
  const document = { text: "kept", expected: "", ttlMs: days(60) };
  const open = () => {
    const store = new MemoryStore();
    const told = { receive() {}, onDoubt() {}, onGone() {}, onForgotten() {} };
    return { store, link: store.join({ id: "i", protocol: "p", environment, logger: silentLogger, ...told }) };
  };
  const crowded = open();
  for (let index = 0; index < 10; index++) await crowded.link.publish(`board ${index}`, "1", "x", { log, document });
  for (let index = 0; index < 100_020; index++) await crowded.link.publish(`feed ${index}`, "1", "x", { log });
  environment.pass(30_000);
  const has = (topic: string): boolean => crowded.store.topics.has(topic);
  expect([has("board 0"), has("feed 19"), has("feed 20")]).toEqual([true, false, true]);
  expect(crowded.store.topics.size).toBe(100_010);
  await crowded.link.close();

  const { store, link } = open();
  for (const board of ["left alone", "published on", "read"]) await link.publish(board, "1", "x", { log, document });
  environment.pass(days(31));
  // A publication without a document does not shorten the lifetime of the current document.
  await link.publish("published on", "2", "y", { log });
  await link.read("read", { ttlMs: 1 });
  environment.pass(days(59));
  expect([...store.topics.keys()]).toEqual(["published on", "read"]);
  expect((await link.read("read", { document: true, ttlMs: 1 })).document).toEqual({ id: "1", text: "kept" });
  environment.pass(days(59));
  expect([...store.topics.keys()]).toEqual(["read"]);
  await link.close();
  expect(environment.timers).toBe(0);
});

test("[BR60] in memory a topic lives as long as its document, regardless of later publications and readings", async () => {
  const environment = new VirtualEnvironment();
  const store = new MemoryStore();
  const told = { receive() {}, onDoubt() {}, onGone() {}, onForgotten() {} };
  const link = store.join({ id: "i", protocol: "p", environment, logger: silentLogger, ...told });
  const day = 24 * 3_600_000;
  const log = { size: 5, ttlMs: 60_000 };
  const write = async (topic: string, id: string, expected: string, days: number): Promise<string> =>
    (await link.publish(topic, id, "", { log, document: { text: id, expected, ttlMs: days * day } })).outcome;
  await write("short", "1", "", 1);
  await write("refused", "1", "", 1);
  expect(await write("refused", "2", "another", 90)).toBe("conflict");
  for (const topic of ["long", "asked", "less"]) await write(topic, "1", "", 90);
  await link.publish("long", "2", "", { log });
  const table = { entry: { field: "ann", value: "1" }, ttlMs: 60_000 };
  await link.publish("long", "3", "", { table });
  expect(await write("less", "2", "1", 1)).toBe("appended");
  const kept = () => [...store.topics.keys()].sort();
  environment.pass(29 * day);
  // The position of a topic with a log lives longer, and the document lives with the position.
  expect(store.topics.get("short")!.document).toEqual({ id: "1", text: "1" });
  environment.pass(2 * day);
  expect(kept()).toEqual(["asked", "less", "long"]);
  environment.pass(58 * day);
  expect(kept()).toEqual(["asked", "less", "long"]);
  // Only this call uses the topic.
  expect(await link.positions(["asked"])).toMatchObject([{ offset: 1, id: "1" }]);
  environment.pass(2 * day);
  expect(kept()).toEqual(["asked"]);
  environment.pass(87 * day);
  expect(store.topics.get("asked")!.document).toEqual({ id: "1", text: "1" });
  environment.pass(2 * day);
  expect(kept()).toEqual([]);
  expect(environment.timers).toBe(0);
  await link.close();
});
