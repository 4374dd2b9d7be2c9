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

test("[EX20] The server's list replaces what the page had: what is not on it is gone, with its log and selection.", () => {
  const store = makeStore();
  store.replace([agent("a"), agent("b")], 8);
  store.select("a");
  store.addLines("a", [line(1)]);
  store.replace([agent("c")], 8);
  expect([...store.agents.keys()]).toEqual(["c"]);
  expect(store.log("a")).toEqual([]);
  expect(store.selectedId).toBe("c");
});

test("[EX20] An event about an agent that is not on the list brings no ghost.", () => {
  const store = makeStore();
  store.replace([agent("a")], 8);
  store.statusChanged("ghost", "stopping");
  store.exited("ghost", "failed", exit);
  store.addLines("ghost", [line(1)]);
  expect([...store.agents.keys()]).toEqual(["a"]);
  expect(store.log("ghost")).toEqual([]);
});

test("[EX20] Status and exit are what the events say.", () => {
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

test("[EX21] A log and the live lines join by number, whichever comes first, without a double or a gap.", () => {
  const store = makeStore();
  store.replace([agent("a")], 8);
  store.addLines("a", [line(4)]);
  store.addLines("a", [line(1), line(2), line(3), line(4)]);
  store.addLines("a", [line(5)]);
  expect(store.log("a").map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
});

test("[EX21] Only the last lines and samples are kept.", () => {
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

test("[EX21] The samples the server remembers fill in what the page missed; each moment counts once, in order.", () => {
  const store = makeStore();
  for (const second of [1, 2, 7]) store.sampled(sample(second));
  store.addSamples([2, 3, 4, 7].map(sample));
  expect(store.samples.map(({ at }) => at.getTime())).toEqual([1_000, 2_000, 3_000, 4_000, 7_000]);
});

test("[EX20] Agents have different colours as long as there are enough, and a colour is free again when its agent goes.", () => {
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

test("[EX33] The samples of all instances are joined at the pace of the one the page is connected to.", () => {
  const store = makeStore();
  store.replace([agent("a"), agent("b")], 16, "one");
  const used = (agentId: string, cpuPercent: number) => [{ agentId, cpuPercent, memoryBytes: 1 }];
  store.sampled({ ...sample(1), instance: "two", agents: used("b", 20) });
  expect(store.samples).toEqual([]);
  store.sampled({ ...sample(2), instance: "one", agents: used("a", 10) });
  expect(store.samples.map(({ agents }) => agents)).toEqual([[...used("b", 20), ...used("a", 10)]]);
  expect(store.latest?.instance).toBe("one");

  // Its instance is gone, and says nothing more about it.
  store.exited("b", "lost", exit);
  store.sampled({ ...sample(3), instance: "one", agents: used("a", 11) });
  expect(store.latest?.agents).toEqual(used("a", 11));
});

test("[EX33] What the next instance remembers fills in only where the page has nothing from the one before.", () => {
  const store = makeStore();
  store.replace([], 8, "one");
  for (const second of [1, 2, 3]) store.sampled({ ...sample(second), instance: "one" });
  store.addSamples([0.4, 1.4, 2.4, 3.4, 4.4, 5.4].map((second) => ({ ...sample(second), instance: "two" })));
  expect(store.samples.map(({ at }) => at.getTime())).toEqual([400, 1_000, 2_000, 3_000, 4_400, 5_400]);
});
