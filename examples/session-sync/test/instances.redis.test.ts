import { randomUUID } from "node:crypto";
import { runRedis } from "@holdfast/example-kit/testing/redis";
import { beforeAll, expect, test, vi } from "vitest";
import { SESSION_DELETED } from "../src/protocol.js";
import { deliveries } from "./delivery.js";
import { figures, tell } from "./figures.js";
import { build, end, runMain } from "./run-main.js";
import { design, soon, watch } from "./watcher.js";

beforeAll(build);

/** Two instances on one Redis, and a running session with a watcher on each instance. */
async function twoInstances() {
  const redis = await runRedis();
  const [a, b] = [await runMain({ redisUrl: redis.url }), await runMain({ redisUrl: redis.url })];
  const sessionId = randomUUID();
  const [onA, onB] = [await watch(a.port, sessionId), await watch(b.port, sessionId)];
  await onA.client.request("session.create", design);
  await onA.client.request("session.resume");
  await Promise.all([onA.reach(2), onB.reach(2)]);
  return { redis, a, b, sessionId, onA, onB };
}

test("[SX10] watchers on both instances receive every change of either instance, in the same order", async () => {
  const { onA, onB } = await twoInstances();
  await onA.client.request("session.switchCycle", { cycle: 1 });
  await onB.client.request("participant.add", { name: "Edsger" });
  await onB.client.request("session.pause");
  const [seenOnA, seenOnB] = [await onA.reach(5), await onB.reach(5)];
  expect(seenOnA).toEqual(seenOnB);
  expect(onA.seen.map((state) => state?.version)).toEqual([undefined, 1, 2, 3, 4, 5]);
  expect(onB.seen.map((state) => state?.version)).toEqual([undefined, 1, 2, 3, 4, 5]);
  const about = await Promise.all([onA, onB].map(({ client }) => client.request("session.about")));
  expect(about[0]?.instance).not.toBe(about[1]?.instance);
});

test("[SX10] if two instances switch the same cycle at the same moment, one request succeeds and the other is refused with CYCLE_OVER", async () => {
  const { onA, onB } = await twoInstances();
  for (let cycle = 1; cycle <= 10; cycle++) {
    const press = ({ client }: typeof onA) =>
      client.request("session.switchCycle", { cycle }).then(
        () => "done",
        (error: unknown) => (error as { code: string }).code,
      );
    expect((await Promise.all([press(onA), press(onB)])).sort()).toEqual(["CYCLE_OVER", "done"]);
    expect((await onA.reach(cycle + 2)).cycle).toBe(cycle + 1);
  }
});

test("[SX12] a change reaches watchers of the same instance within 50 ms of the request, and watchers of another instance within 100 ms", async () => {
  const { onA, onB } = await twoInstances();
  const [same = [], cross = []] = await deliveries(onA, [onA, onB], 40);
  tell("same instance, by Redis", figures(same));
  tell("another instance", figures(cross));
  expect(figures(same).median).toBeLessThan(50);
  expect(figures(cross).median).toBeLessThan(100);
});

test("[SX9] session.delete on one instance closes the watchers of both instances with 1000, after STATE_DELETED with the reason", async () => {
  const { sessionId, a, onA, onB } = await twoInstances();
  const refusals: unknown[] = [];
  for (const { channel } of [onA, onB])
    channel.status.subscribe((status) => {
      if (status.name === "refused") refusals.push([status.error.code, status.error.message]);
    });
  await onB.client.request("session.delete");
  for (const { client } of [onA, onB])
    await vi.waitFor(() => expect(client.status.get()).toMatchObject({ name: "closed", reason: { code: 1000 } }), soon);
  expect(refusals).toEqual([
    ["STATE_DELETED", SESSION_DELETED],
    ["STATE_DELETED", SESSION_DELETED],
  ]);
  expect(onA.seen.at(-1)).toBeUndefined();
  await expect(watch(a.port, sessionId)).rejects.toMatchObject({ code: "STATE_DELETED" });
});

test("[SX8] a session survives the crash of an instance, and a watcher that reconnects receives the changes made meanwhile", async () => {
  const { redis, a, sessionId, onA, onB } = await twoInstances();
  await end(a, "SIGKILL");
  await onB.client.request("session.switchCycle", { cycle: 1 });
  await onB.client.request("participant.add", { name: "Edsger" });
  const again = await runMain({ port: a.port, redisUrl: redis.url });
  expect(await onA.reach(4)).toEqual(await onB.reach(4));
  await vi.waitFor(() => expect(onA.client.status.get().name).toBe("ready"), soon);
  const fresh = await watch(again.port, sessionId);
  expect(await fresh.reach(4)).toEqual(onB.session);
  expect(fresh.seen).toHaveLength(2);
});
