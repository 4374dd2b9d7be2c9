// The answers to clients that resume after a real Redis was rolled back. The file
// ../recovery-resets.test.ts tests the same rules in virtual time.
import { defineProtocol, type Position } from "@holdfast/protocol";
import { createServer, type Server } from "@holdfast/server";
import { redisBroker } from "@holdfast/server/redis";
import { expect, test, type TestContext } from "vitest";
import { WebSocket } from "ws";
import * as z from "zod";
import type { Broker } from "../../src/broker/broker.js";
import { until } from "../support/until.js";
import { RedisHarness } from "../support/redis-harness.js";

const SIZE = 10;
const lines = defineProtocol({
  name: "lines",
  version: "1.0.0",
  channels: { log: { key: z.string(), events: { line: z.string() }, history: { size: SIZE, ttlMs: 600_000 } } },
});

const KEYS = ["{holdfast:lines:log:a}:meta", "{holdfast:lines:log:a}:log"];
/**
 * KEEP saves a topic and BRING_BACK restores the topic while Redis runs, so that no connection
 * breaks and the test is fast.
 */
const KEEP = "for _, key in ipairs(KEYS) do redis.call('SET', 'kept' .. key, redis.call('DUMP', key)) end";
const BRING_BACK =
  "for _, key in ipairs(KEYS) do redis.call('RESTORE', key, 0, redis.call('GET', 'kept' .. key), 'REPLACE') end";

interface Answer {
  readonly ok: boolean;
  readonly position?: Position;
  readonly missed?: readonly object[];
  readonly reset?: string;
}

/** The replayed events of an answer, or the reason of its reset. */
const said = ({ missed, reset, ok }: Answer): unknown => reset ?? missed?.length ?? ok;

/** Instances on their own Redis, with the position of each offset of a channel. */
class Lines extends RedisHarness {
  readonly instances: { readonly server: Server<typeof lines.definition>; readonly port: number }[] = [];
  /** If set, reads of `topic` wait for the promise `opens`. */
  gate: { readonly topic: string; readonly opens: Promise<void> } | undefined;

  static async start(context: TestContext) {
    const world = new Lines(context);
    const redis = await world.redis({ persist: true });
    await world.instance(redis.url);
    return { world, redis, first: world.instances[0]! };
  }

  async instance(url: string): Promise<Lines["instances"][0]> {
    const inner = redisBroker({ url });
    const broker: Broker = {
      join: (instance) => {
        const link = inner.join(instance);
        const { read } = link;
        link.read = async (topic, options) => {
          if (topic === this.gate?.topic) await this.gate.opens;
          return read.call(link, topic, options);
        };
        return link;
      },
    };
    const server = createServer(lines, { broker });
    const { port } = await server.listen(0);
    this.endsWith(() => server.close({ graceMs: 0 }));
    const instance = { server, port };
    this.instances.push(instance);
    await until(() => server.isReady);
    return instance;
  }

  /** Publishes one event for each offset in the range. */
  async publish(from: number, to: number): Promise<Map<number, Position>> {
    const { server, port } = this.instances[0]!;
    const positions = new Map<number, Position>();
    const { epoch } = (await this.resume(port, "log:a"))[0]!.position!;
    for (let offset = from; offset <= to; offset++) {
      const published = await server.channel("log", "a").publish("line", `${offset}`);
      if (published.offset !== offset)
        throw new Error(`publish: expected offset ${offset}, received ${published.offset}.`);
      positions.set(offset, { epoch, offset, id: published.id! });
    }
    return positions;
  }

  /** Connects a client that stays subscribed to the channels. */
  resume(port: number, ...channels: (string | { channel: string; position: Position })[]): Promise<Answer[]> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    this.endsWith(async () => socket.terminate());
    return new Promise((resolve, reject) => {
      const answers: Answer[] = [];
      socket.on("error", reject);
      socket.on("message", (data: Buffer) => {
        const message = JSON.parse(data.toString("utf8")) as { type: string; data: { results: Answer[] } };
        if (message.type === "connected")
          socket.send(JSON.stringify({ type: "subscribe", correlation_id: "s", data: { channels } }));
        if (message.type !== "subscribe_response") return;
        answers.push(...message.data.results);
        if (answers.length === channels.length) resolve(answers);
      });
    });
  }

  async from(port: number, position: Position): Promise<unknown> {
    return said((await this.resume(port, { channel: "log:a", position }))[0]!);
  }

  async back(): Promise<void> {
    await until(() => this.instances.every(({ server }) => server.isReady), 10_000, "Redis' return");
  }
}

test("[RV24] [RV27] after a real roll-back, resuming clients get the stored events or a reset with the true reason, at each boundary", async (context) => {
  const { world, redis, first } = await Lines.start(context);
  const old = await world.publish(1, SIZE);
  const start = { ...old.get(1)!, offset: 0, id: "" };
  await redis.save();
  const lost = await world.publish(SIZE + 1, SIZE + 5);
  await redis.rollBack();
  await world.back();
  const at = (offset: number): Position => old.get(offset)!;
  await until(async () => (await world.from(first.port, lost.get(12)!)) === "fork");
  // Missed events: none, one, all but one, exactly all that the store keeps.
  expect(await world.from(first.port, at(10))).toBe(0);
  expect(await world.from(first.port, at(9))).toBe(1);
  expect(await world.from(first.port, at(1))).toBe(9);
  expect(await world.from(first.port, start)).toBe(10);
  const kept = await world.publish(SIZE + 1, SIZE + 15);
  const fresh = await world.instance(redis.url);
  // The store keeps ten events. The first instance buffers more and knows the branch of each
  // position.
  expect(await world.from(first.port, lost.get(12)!)).toBe("fork");
  expect(await world.from(first.port, kept.get(12)!)).toBe(13);
  for (const { port } of [first, fresh]) {
    expect(await world.from(port, kept.get(25)!)).toBe(0);
    expect(await world.from(port, kept.get(15)!)).toBe(10);
    expect(await world.from(port, { ...kept.get(15)!, id: "x" })).toBe("fork");
    expect(await world.from(port, { ...kept.get(25)!, offset: 26, id: "x" })).toBe("fork");
    expect(await world.from(port, { ...kept.get(25)!, epoch: "x" })).toBe("epoch");
  }
  for (const position of [lost.get(12)!, kept.get(12)!, kept.get(14)!, start])
    expect(await world.from(fresh.port, position)).toBe("trimmed");
  await redis.say("FLUSHALL");
  await world.publish(1, 1);
  for (const { port } of [first, fresh]) await until(async () => (await world.from(port, kept.get(25)!)) === "epoch");
}, 60_000);

test("[RV26] if a real roll-back happens while clients wait for another channel, each answer matches the restored store", async (context) => {
  const { world, redis } = await Lines.start(context);
  const trimmed = await world.publish(1, 4);
  const old = await world.publish(5, 14);
  // This instance buffers no more than Redis keeps.
  const { port } = await world.instance(redis.url);
  await redis.say("EVAL", KEEP, KEYS.length, ...KEYS);
  const lost = await world.publish(15, 17);
  await until(async () => (await world.from(port, old.get(14)!)) === 3);
  let open!: () => void;
  world.gate = { topic: "log:gate", opens: new Promise((resolve) => (open = resolve)) };
  const positions = [
    trimmed.get(2)!,
    old.get(5)!,
    old.get(14)!,
    lost.get(16)!,
    { ...trimmed.get(1)!, offset: 0, id: "" },
  ];
  const waiting = positions.map((position) => world.resume(port, { channel: "log:a", position }, "log:gate"));
  const told: (object | undefined)[] = positions.map(() => undefined);
  for (const [index, answer] of waiting.entries()) void answer.then((answers) => (told[index] = answers));
  await redis.say("EVAL", BRING_BACK, KEYS.length, ...KEYS);
  // The reset follows a comparison of positions, in which the instance notices the roll-back.
  expect(await world.from(port, { ...lost.get(17)!, id: "x" })).toBe("fork");
  expect(told).toEqual(positions.map(() => undefined));
  open();
  const answers = await Promise.all(waiting);
  expect(answers.map(([answer]) => said(answer!))).toEqual(["trimmed", 9, 0, "fork", "trimmed"]);
}, 60_000);

test("[RV24] a log that was trimmed and then restored at the same position is replayed completely", async (context) => {
  const { world, redis, first } = await Lines.start(context);
  const all = await world.publish(1, 8);
  await redis.save();
  await redis.say("XTRIM", "{holdfast:lines:log:a}:log", "MAXLEN", 2);
  // This instance has read only the trimmed log.
  const { port } = await world.instance(redis.url);
  expect(await world.from(port, all.get(6)!)).toBe(2);
  expect(await world.from(port, all.get(5)!)).toBe("trimmed");
  // The other instance still buffers the events.
  expect(await world.from(first.port, all.get(5)!)).toBe(3);
  await redis.rollBack();
  await world.back();
  expect(await world.from(port, all.get(5)!)).toBe(3);
  expect(await world.from(port, { ...all.get(1)!, offset: 0, id: "" })).toBe(8);
}, 60_000);
