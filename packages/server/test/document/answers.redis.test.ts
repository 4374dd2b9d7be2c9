import { createServer } from "@holdfast/server";
import { redisBroker } from "@holdfast/server/redis";
import { expect, test } from "vitest";
import type { ChaosConnection } from "../support/chaos-proxy.js";
import { RedisHarness } from "../support/redis-harness.js";
import { until } from "../support/until.js";
import { boards, empty } from "../support/document-server.js";

test("[SH10] on a real Redis, changes whose answers are cut off are each applied once and saved, even if callers get UNAVAILABLE", async (context) => {
  const world = new RedisHarness(context);
  const redis = await world.redis();
  /** The connection that carried the change, until its answer arrives. */
  let armed: ChaosConnection | undefined;
  let cuts = 0;
  const proxy = await world.proxy({
    to: redis.port,
    inspect(connection, direction, bytes) {
      if (direction === "up" && bytes.includes("cut-this-off")) armed = connection;
      if (direction === "down" && armed === connection) {
        // No byte of the answer gets through.
        connection.cutAt = connection.bytes;
        armed = undefined;
        cuts++;
      }
    },
  });
  const saved = new Map<string, number>();
  const server = createServer(boards, {
    broker: redisBroker({ url: `redis://127.0.0.1:${proxy.port}` }),
    documents: { board: { save: ({ key, version }) => saved.set(key!, version) } },
  });
  world.endsWith(() => server.close({ graceMs: 0 }));
  await until(() => server.isReady, 10_000, "Redis");
  const { document } = server.channel("board", "a");
  await document.set(empty);
  const rounds = 6;
  const told: string[] = [];
  for (let round = 1; round <= rounds; round++) {
    const change = document.update((draft) => void draft.cards.push({ id: `${round}`, text: "cut-this-off" }));
    // The broker waits longer after each lost connection. If it waits too long, it cannot tell
    // whether the change is stored.
    told.push(
      await change.then(
        ({ version }) => `version ${version}`,
        ({ code }: { code: string }) => code,
      ),
    );
    await until(() => server.isReady, 10_000, "Redis again");
  }
  expect(cuts).toBe(rounds);
  expect(told.join()).toContain("version");
  for (const [index, outcome] of told.entries()) expect([`version ${index + 2}`, "UNAVAILABLE"]).toContain(outcome);
  expect((await document.get())!.cards.map(({ id }) => Number(id))).toEqual([1, 2, 3, 4, 5, 6]);
  await until(() => saved.get("a") === rounds + 1, 15_000, "all to be saved");
}, 60_000);
