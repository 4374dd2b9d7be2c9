import { createClient, documentOf } from "@holdfast/client";
import { canonicalJson } from "@holdfast/protocol/internal";
import { createServer } from "@holdfast/server";
import { redisBroker } from "@holdfast/server/redis";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { RedisHarness } from "../support/redis-harness.js";
import { seededRandom } from "../support/seeded-random.js";
import { boards, empty } from "../support/document-server.js";
import { editBoard } from "../support/board-edits.js";
import { until } from "../support/until.js";
import { scale } from "./fault-world.js";
import { reportFigures } from "../support/figures.js";

const PEERS = 4;
const OPERATIONS = 100;

test("[SV2] on a real Redis, clients whose connections are cut repeatedly end with the same documents", async (context) => {
  const world = new RedisHarness(context);
  const redis = await world.redis();
  const random = seededRandom(14);
  const start = async (index: number) => {
    const server = createServer(boards, { broker: redisBroker({ url: `redis://127.0.0.1:${redis.port}` }) });
    const { port } = await server.listen(0);
    world.endsWith(() => server.close({ graceMs: 0 }));
    return { server, proxy: await world.proxy({ to: port, seed: index + 1 }) };
  };
  const servers = [await start(0), await start(1)];
  await until(() => servers.every(({ server }) => server.isReady), 10_000, "Redis");
  const keys = Array.from({ length: scale(20, 200) }, (_, index) => `${index}`);
  const peers = Array.from({ length: PEERS }, (_, index) => {
    const { port } = servers[index % 2]!.proxy;
    const client = createClient(boards, { url: `ws://127.0.0.1:${port}/ws`, retry: { minMs: 100, maxMs: 500 } });
    world.endsWith(async () => client.disconnect());
    let told = 0;
    // One connection has a limited number of channels, so several clients share the documents.
    const watched = keys.filter((key) => Number(key) % 2 === index % 2 || keys.length <= 100);
    const documents = new Map(watched.map((key) => [key, documentOf(client.channel("board", key))]));
    for (const document of documents.values()) document.subscribe(() => void told++);
    // Each listener is called at once with the current document. Only later calls count as updates.
    told = 0;
    return { client, documents, told: () => told };
  });

  let cuts = 0;
  let isOver = false;
  const cutting = (async () => {
    while (!isOver) {
      await delay(40 + random() * 60);
      const { proxy } = servers[cuts % 2]!;
      const open = [...proxy.connections].filter(({ bytes }) => bytes > 500);
      const chosen = open[Math.floor(random() * open.length)];
      if (!chosen) continue;
      chosen.cutAt = chosen.bytes + 1 + Math.floor(random() * 400);
      cuts++;
    }
  })();

  let accepted = 0;
  let refused = 0;
  const change = async (key: string): Promise<void> => {
    const board = servers[random() < 0.5 ? 0 : 1]!.server.channel("board", key).document;
    await board.set(empty);
    for (let count = 1; count < OPERATIONS; count++) {
      await delay(random() * scale(40, 100));
      const what = 1 + Math.floor(random() * 6);
      const one = servers[random() < 0.5 ? 0 : 1]!.server.channel("board", key).document;
      await one
        .update((draft) => editBoard(draft, what, count, random()))
        .then(
          () => accepted++,
          () => refused++,
        );
    }
  };
  await Promise.all(keys.map(change));
  isOver = true;
  await cutting;

  const truth = new Map<string, string>();
  for (const key of keys) truth.set(key, canonicalJson(await servers[0]!.server.channel("board", key).document.get()));
  const different = (): string[] =>
    peers.flatMap(({ documents }, index) =>
      [...documents].flatMap(([key, document]) =>
        canonicalJson(document.get()) === truth.get(key) ? [] : [`${index} has ${canonicalJson(document.get())}`],
      ),
    );
  await until(() => different().length === 0, 10_000).catch(() => undefined);
  expect(different()).toEqual([]);
  const mismatches = servers.reduce((sum, { server }) => sum + server.stats().documents.mismatches, 0);
  const told = peers.reduce((sum, peer) => sum + peer.told(), 0);
  reportFigures("T14 on Redis", { documents: keys.length, cuts, accepted, refused, told, mismatches });
  expect(mismatches).toBe(0);
  expect(refused).toBe(0);
  expect(cuts).toBeGreaterThan(10);
  // The clients are disconnected most of the time, but they return.
  expect(told).toBeGreaterThan(keys.length * 10);
}, 180_000);
