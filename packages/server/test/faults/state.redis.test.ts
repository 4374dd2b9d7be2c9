import { defineProtocol } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import { redisBroker } from "@holdfast/server/redis";
import { expect, test } from "vitest";
import * as z from "zod";
import { RedisHarness } from "../support/redis-harness.js";
import { until } from "../support/until.js";
import { scale } from "./fault-world.js";
import { reportFigures, percentile } from "../support/figures.js";
import { StateWatcher } from "./state-watcher.js";

const tallies = defineProtocol({
  name: "tallies",
  version: "1.0.0",
  channels: {
    tally: {
      key: z.string(),
      // The number of changes of each writer, and the ids of the last 50 changes.
      document: z.object({
        counts: z.record(z.string(), z.int()),
        last: z.array(z.object({ id: z.string() })).max(50),
      }),
    },
  },
});

interface Tally {
  readonly counts: Readonly<Record<string, number>>;
  readonly last: readonly { readonly id: string }[];
}

const SERVERS = 5;
const WRITERS = 50;

test("[FT15] with 50 writers of one document on five servers, every subscriber sees each accepted change once, and at most 5 % of the changes are refused", async (context) => {
  const world = new RedisHarness(context);
  const redis = await world.redis();
  const starting = Array.from({ length: SERVERS }, async () => {
    const broker = redisBroker({ url: redis.url });
    const server = createServer(tallies, { broker, heartbeat: { intervalMs: 300_000 } });
    world.endsWith(() => server.close({ graceMs: 0 }));
    const { port } = await server.listen(0);
    return { server, port, document: server.channel("tally", "a").document };
  });
  const servers = await Promise.all(starting);
  await until(() => servers.every(({ server }) => server.isReady), 10_000, "Being ready");
  await servers[0]!.document.set({ counts: {}, last: [] });
  const watchers = Array.from({ length: 6 }, (_, index) => {
    const watcher = new StateWatcher<Tally>(servers[index % 2]!.port, "tally:a");
    world.endsWith(async () => watcher.end());
    return watcher;
  });
  for (const watcher of watchers) await watcher.joined();

  const accepted = new Map<number, string>();
  const refused: string[] = [];
  const took: number[] = [];
  const seconds = scale(3, 30);
  const end = performance.now() + seconds * 1_000;
  const write = async (index: number): Promise<void> => {
    const { document } = servers[index % SERVERS]!;
    const writer = `w${index}`;
    // A refused change is not retried, so no subscriber may see its number.
    for (let number = 1; performance.now() < end; number++) {
      const id = `${writer}.${number}`;
      const start = performance.now();
      try {
        const { version } = await document.update((draft) => {
          draft.counts[writer] = (draft.counts[writer] ?? 0) + 1;
          draft.last.push({ id });
          if (draft.last.length > 50) draft.last.shift();
        });
        took.push(performance.now() - start);
        if (accepted.has(version)) refused.push(`version ${version} twice`);
        accepted.set(version, id);
      } catch (error) {
        refused.push((error as { code?: string }).code ?? String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, index) => write(index)));

  const version = accepted.size + 1;
  await until(() => watchers.every((watcher) => watcher.version >= version), 20_000).catch(() => undefined);
  const found = await servers.at(-1)!.document.get();
  const versions = Array.from({ length: accepted.size }, (_, index) => index + 2);
  expect([...accepted.keys()].sort((a, b) => a - b)).toEqual(versions);
  for (const watcher of watchers) {
    expect(watcher.faults).toEqual([]);
    expect(watcher.seen.map((seen) => seen.version)).toEqual(versions);
    // Each version contains the change of the caller who received this version, and raises the
    // count of its writer by one.
    const counts = new Map<string, number>();
    for (const { version: at, doc } of watcher.seen) {
      const id = doc.last.at(-1)!.id;
      const [writer] = id.split(".") as [string];
      const count = (counts.get(writer) ?? 0) + 1;
      counts.set(writer, count);
      if (id !== accepted.get(at) || doc.counts[writer] !== count)
        expect.fail(`version ${at} brings ${id}, ${doc.counts[writer]}; made by ${accepted.get(at)}, ${count}`);
    }
    expect(watcher.hashes).toBe(Math.floor(version / 32));
    expect(watcher.doc).toEqual(found);
  }
  const overtaken = servers.reduce((sum, { server }) => sum + server.stats().documents.conflicts, 0);
  const conflicts = refused.filter((code) => code === "DOCUMENT_CONFLICT").length;
  const share = conflicts / (accepted.size + refused.length);
  reportFigures("T15", {
    writers: WRITERS,
    seconds,
    accepted: accepted.size,
    version: watchers[0]!.version,
    perSecond: Math.round(accepted.size / seconds),
    overtaken,
    conflicts,
    conflictPercent: Number((share * 100).toFixed(2)),
    p50Ms: Math.round(percentile(took, 0.5)),
    p99Ms: Math.round(percentile(took, 0.99)),
  });
  expect(refused.filter((code) => code !== "DOCUMENT_CONFLICT")).toEqual([]);
  expect(accepted.size).toBeGreaterThan(seconds * 10);
  expect(share).toBeLessThanOrEqual(0.05);
}, 120_000);
