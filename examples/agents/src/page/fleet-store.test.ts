import { expect, test } from "vitest";
import type { Agent, Line, Sample } from "../protocol.js";
import { FleetStore, KEPT_LINES, KEPT_SAMPLES } from "./fleet-store.js";

const agent = (id: string, more: Partial<Agent> = {}): Agent => ({
  id,
  program: "primes",
  options: {},
  pid: 1,
  status: "running",
  startedAt: new Date(0),
  ...more,
});
const exit = { code: 0, signal: null, at: new Date(0) };
const line = (number: number): Line => ({ number, stream: "stdout", text: `line ${number}`, at: new Date(0) });
const sample = (second: number): Sample => ({
  at: new Date(second * 1_000),
  host: { cpuPercent: 0, cores: 1, load: 0, memoryUsedBytes: 0, memoryTotalBytes: 1 },
  server: { connections: 1, deliveriesPerSecond: 0 },
  agents: [],
});
const makeStore = () => new FleetStore(() => {});

test("[EX20] replace removes the agents that the server no longer lists, with their logs and the selection", () => {
  const store = makeStore();
  store.replace([agent("a"), agent("b")], 8);
  store.select("a");
  store.addLines("a", [line(1)]);
  store.replace([agent("c")], 8);
  expect([...store.agents.keys()]).toEqual(["c"]);
  expect(store.log("a")).toEqual([]);
  expect(store.selectedId).toBe("c");
});

test("[EX20] an event about an agent that is not listed adds no agent", () => {
  const store = makeStore();
  store.replace([agent("a")], 8);
  store.statusChanged("ghost", "stopping");
  store.exited("ghost", "failed", exit);
  store.addLines("ghost", [line(1)]);
  expect([...store.agents.keys()]).toEqual(["a"]);
  expect(store.log("ghost")).toEqual([]);
});

test("[EX20] statusChanged and exited update the agent, and removed deletes it", () => {
  const store = makeStore();
  store.started(agent("a"));
  store.statusChanged("a", "stopping");
  expect(store.agents.get("a")?.status).toBe("stopping");
  store.exited("a", "stopped", exit);
  expect(store.agents.get("a")).toMatchObject({ status: "stopped", exit });
  expect(store.living()).toEqual([]);
  store.removed("a");
  expect(store.agents.size).toBe(0);
});

test("[EX21] the loaded log and live lines are merged by number, in either order of arrival, without duplicates or gaps", () => {
  const store = makeStore();
  store.replace([agent("a")], 8);
  store.addLines("a", [line(4)]);
  store.addLines("a", [line(1), line(2), line(3), line(4)]);
  store.addLines("a", [line(5)]);
  expect(store.log("a").map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
});

test("[EX21] the store keeps the last KEPT_LINES lines and the last KEPT_SAMPLES samples", () => {
  const store = makeStore();
  store.replace([agent("a")], 8);
  for (let number = 1; number <= KEPT_LINES + 10; number++) store.addLines("a", [line(number)]);
  expect(store.log("a")).toHaveLength(KEPT_LINES);
  expect(store.log("a")[0]?.number).toBe(11);
  for (let second = 1; second <= KEPT_SAMPLES + 10; second++) store.sampled(sample(second));
  expect(store.samples.map(({ at }) => at.getTime())).toEqual(
    Array.from({ length: KEPT_SAMPLES }, (_, index) => (index + 11) * 1_000),
  );
});

test("[EX21] addSamples inserts the samples that the page missed, in order and without duplicates", () => {
  const store = makeStore();
  for (const second of [1, 2, 7]) store.sampled(sample(second));
  store.addSamples([2, 3, 4, 7].map(sample));
  expect(store.samples.map(({ at }) => at.getTime())).toEqual([1_000, 2_000, 3_000, 4_000, 7_000]);
});

test("[EX20] agents have different colours as long as enough exist, and the colour of a removed agent is free again", () => {
  const store = makeStore();
  const ids = ["a", "b", "c", "d", "e", "f", "g", "h"];
  store.replace(
    ids.map((id) => agent(id)),
    8,
  );
  expect(new Set(ids.map((id) => store.colourOf(id))).size).toBe(8);
  const freed = store.colourOf("c");
  store.removed("c");
  store.started(agent("i"));
  expect(store.colourOf("i")).toBe(freed);
});

test("[EX33] samples of all instances are merged at the rate of the connected instance", () => {
  const store = makeStore();
  store.replace([agent("a"), agent("b")], 16, "one");
  const used = (agentId: string, cpuPercent: number) => [{ agentId, cpuPercent, memoryBytes: 1 }];
  store.sampled({ ...sample(1), instance: "two", agents: used("b", 20) });
  expect(store.samples).toEqual([]);
  store.sampled({ ...sample(2), instance: "one", agents: used("a", 10) });
  expect(store.samples.map(({ agents }) => agents)).toEqual([[...used("b", 20), ...used("a", 10)]]);
  expect(store.latest?.instance).toBe("one");

  // The instance of this agent is gone and sends no more samples.
  store.exited("b", "lost", exit);
  store.sampled({ ...sample(3), instance: "one", agents: used("a", 11) });
  expect(store.latest?.agents).toEqual(used("a", 11));
});

test("[EX33] samples of the next instance are inserted only where samples of the previous instance are missing", () => {
  const store = makeStore();
  store.replace([], 8, "one");
  for (const second of [1, 2, 3]) store.sampled({ ...sample(second), instance: "one" });
  store.addSamples([0.4, 1.4, 2.4, 3.4, 4.4, 5.4].map((second) => ({ ...sample(second), instance: "two" })));
  expect(store.samples.map(({ at }) => at.getTime())).toEqual([400, 1_000, 2_000, 3_000, 4_400, 5_400]);
});
