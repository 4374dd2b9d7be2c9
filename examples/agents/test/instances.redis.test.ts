import { type Client } from "@holdfast/client";
import { runRedis } from "@holdfast/example-kit/testing/redis";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import type { Agent, agents } from "../src/protocol.js";
import { build, connect, end, type Running, runFront, runMain } from "./run-main.js";

beforeAll(build);

const soon = { timeout: 15_000, interval: 50 };

async function twoInstances() {
  const redis = await runRedis();
  const [a, b] = [await runMain({ redisUrl: redis.url }), await runMain({ redisUrl: redis.url })];
  // An instance accepts clients before it has reached Redis. Within 1 s it stores its two agents,
  // which the other instance then lists.
  for (const instance of [a, b]) await vi.waitFor(async () => expect(await instance.list()).toHaveLength(4), soon);
  return { redis, a, b };
}

/**
 * Connects a client, and records the line numbers and the final statuses that the client receives
 * for each agent.
 */
async function watch({ port }: Running) {
  const client: Client<typeof agents.definition> = connect(port);
  onTestFinished(() => client.disconnect());
  const lines = new Map<string, number[]>();
  const ends = new Map<string, string[]>();
  const resets: string[] = [];
  const updates = client.channel("agent-updates");
  const add = <Value>(map: Map<string, Value[]>, key: string, value: Value) =>
    void map.set(key, [...(map.get(key) ?? []), value]);
  updates.on("output", ({ agentId, line }) => add(lines, agentId, line.number));
  updates.on("exited", ({ agentId, status }) => add(ends, agentId, status));
  updates.onReset(({ reason }) => void resets.push(reason));
  await updates.join();
  return { client, lines, ends, resets };
}

const nameOf = ({ port }: Running) => expect.stringMatching(new RegExp(`:${port}$`));
const of = (list: readonly Agent[], { port }: Running) => list.filter(({ instance }) => instance?.endsWith(`:${port}`));
const idsOf = (list: readonly Agent[]) => new Set(list.map(({ id }) => id));
/** Expects consecutive numbers: in order, without duplicates or gaps. */
function expectUnbroken(numbers: readonly number[] = []): void {
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
}

test("[EX26] two instances on one Redis list the same fleet, and a client of one instance reads the log of an agent on the other instance and stops that agent", async () => {
  const { a, b } = await twoInstances();
  const [seenFromA, seenFromB] = [await a.list(), await b.list()];
  expect(idsOf(seenFromA)).toEqual(idsOf(seenFromB));
  expect([of(seenFromA, a).length, of(seenFromA, b).length]).toEqual([2, 2]);

  const onA = await watch(a);
  const onB = await watch(b);
  const { agent } = await onB.client.request("agent.start", { program: "watch-host", options: { every: "250ms" } });
  expect(agent.instance).toEqual(nameOf(b));
  await vi.waitFor(() => expect(onA.lines.get(agent.id)?.length).toBeGreaterThanOrEqual(3), soon);
  const sampled = new Set<string>();
  onA.client
    .channel("metrics")
    .on("sampled", ({ agents: used }) => used.forEach(({ agentId }) => sampled.add(agentId)));
  await vi.waitFor(() => expect(sampled).toEqual(new Set([...idsOf(seenFromA), agent.id])), soon);

  const { lines } = await onA.client.request("agent.log", { agentId: agent.id });
  expect(lines.slice(0, 3)).toEqual((await onB.client.request("agent.log", { agentId: agent.id })).lines.slice(0, 3));
  expect(lines[0]?.at).toBeInstanceOf(Date);

  await onA.client.request("agent.stop", { agentId: agent.id });
  await vi.waitFor(() => expect(onA.ends.get(agent.id)).toEqual(["stopped"]), soon);
  expect((await a.list()).find(({ id }) => id === agent.id)).toMatchObject({ status: "stopped", pid: agent.pid });
  expect((await onA.client.request("agent.list")).maximum).toBe(16);
});

test("[EX27] when an instance is killed, its clients continue on another instance without missing a line, and its agents count as lost", async () => {
  const { a, b } = await twoInstances();
  const front = await runFront(a, b);
  // The load balancer takes the servers in turn, so every second connection goes to A.
  const watchers = [await watch(front), await watch(front), await watch(front), await watch(front)];
  const [first] = watchers;
  const onB = await watch(b);
  const { agent } = await onB.client.request("agent.start", { program: "watch-host", options: { every: "250ms" } });
  const count = () => onB.lines.get(agent.id)?.length ?? 0;
  await vi.waitFor(() => expect(count()).toBeGreaterThanOrEqual(5), soon);
  const before = await b.list();

  await end(a, "SIGKILL");
  const killedAt = performance.now();
  await vi.waitFor(() => {
    for (const { id } of of(before, a)) expect(onB.ends.get(id)).toEqual(["lost"]);
  }, soon);
  expect(performance.now() - killedAt).toBeLessThan(8_000);
  await vi.waitFor(() => {
    for (const { client } of watchers) expect(client.status.get().name).toBe("ready");
  }, soon);
  const wanted = count() + 4;
  await vi.waitFor(() => {
    for (const { lines } of watchers) expect(lines.get(agent.id)?.length).toBeGreaterThanOrEqual(wanted);
  }, soon);

  for (const { lines, ends, resets } of watchers) {
    expect(lines.get(agent.id)?.[0]).toBe(1);
    for (const { id } of of(before, b)) expectUnbroken(lines.get(id));
    expectUnbroken(lines.get(agent.id));
    for (const { id } of of(before, a)) expect(ends.get(id)).toEqual(["lost"]);
    expect(resets).toEqual([]);
  }
  const { agents: list, maximum } = await first!.client.request("agent.list");
  expect(of(list, a).map(({ status }) => status)).toEqual(["lost", "lost"]);
  expect(maximum).toBe(8);
});

test("[EX28] lines printed during an outage of Redis arrive afterwards, once and in order, and no agent counts as lost", async () => {
  const { redis, a, b } = await twoInstances();
  const onA = await watch(a);
  const { agent } = await onA.client.request("agent.start", { program: "watch-host", options: { every: "250ms" } });
  const onB = await watch(b);
  const count = () => onB.lines.get(agent.id)?.length ?? 0;
  await vi.waitFor(() => expect(count()).toBeGreaterThanOrEqual(2), soon);

  redis.halt();
  // 24 lines at four lines per second take 6 s, which is longer than a lease.
  const printed = async () => (await onA.client.request("agent.log", { agentId: agent.id })).lines.length;
  const then = await printed();
  await vi.waitFor(async () => expect(await printed()).toBeGreaterThan(then + 24), { timeout: 20_000, interval: 250 });
  expect(onB.client.status.get().name).toBe("ready");
  redis.goOn();
  const wanted = await printed();
  await vi.waitFor(() => expect(count()).toBeGreaterThan(wanted), soon);
  await redis.restart();
  const later = count() + 8;
  await vi.waitFor(() => expect(count()).toBeGreaterThan(later), soon);

  expectUnbroken(onB.lines.get(agent.id));
  expectUnbroken(onA.lines.get(agent.id));
  expect([onA.resets, onB.resets]).toEqual([[], []]);
  expect((await b.list()).map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => "running"));
});

test("[EX29] after SIGTERM, the other instance lists the agents of the ended instance as stopped and lowers the maximum", async () => {
  const { a, b } = await twoInstances();
  const before = await b.list();
  const onB = await watch(b);
  expect(await end(a, "SIGTERM")).toBe(0);
  for (const { id } of of(before, a)) await vi.waitFor(() => expect(onB.ends.get(id)).toEqual(["stopped"]), soon);
  await vi.waitFor(async () => expect((await onB.client.request("agent.list")).maximum).toBe(8), soon);
  expect(of(await b.list(), a).map(({ status }) => status)).toEqual(["stopped", "stopped"]);
});
