import { type BaseOptions, createClient, presenceOf } from "@holdfast/client";
import { createServer, type Identity, type Server } from "@holdfast/server";
import { redisBroker } from "@holdfast/server/redis";
import { expect, test, type TestContext } from "vitest";
import { reportFigures, percentile } from "../support/figures.js";
import { authenticate, player } from "../support/identity-server.js";
import { until } from "../support/until.js";
import { RedisHarness } from "../support/redis-harness.js";

type PlayerServer = Server<typeof player.definition, Identity>;

/** Two real servers on one real Redis, with real clients. */
class Pair extends RedisHarness {
  readonly servers: { readonly server: PlayerServer; readonly port: number }[] = [];

  static async start(context: TestContext): Promise<Pair> {
    const pair = new Pair(context);
    const redis = await pair.redis();
    for (let count = 0; count < 2; count++) {
      const server = createServer(player, {
        authenticate,
        broker: redisBroker({ url: redis.url }),
        credentials: { ticket: true },
        presenceGraceMs: 200,
      });
      const { port } = await server.listen(0);
      pair.endsWith(() => server.close({ graceMs: 0 }));
      pair.servers.push({ server, port });
    }
    await until(() => pair.servers.every(({ server }) => server.isReady));
    return pair;
  }

  client(index: number, token: string, options: Partial<BaseOptions> = {}) {
    const url = `ws://127.0.0.1:${this.servers[index]!.port}/ws`;
    const client = createClient(player, { url, token, retry: { minMs: 20, maxMs: 200 }, ...options });
    this.endsWith(async () => client.disconnect());
    return client;
  }

  /** A client that is connected. */
  async connected(index: number, token: string) {
    const client = this.client(index, token);
    await until(() => client.status.get().name === "ready");
    return client;
  }
}

test("[TW1] broadcasts and events without history reach the clients of both servers in the same order", async (context) => {
  const pair = await Pair.start(context);
  const [one, two] = pair.servers as [Pair["servers"][0], Pair["servers"][0]];
  const heard: string[][] = [[], []];
  for (const [index, list] of heard.entries()) {
    const client = await pair.connected(index, `u${index}`);
    client.channel("news").on("published", (text) => void list.push(text));
    client.direct.on("hello", (text) => void list.push(text));
    await client.channel("news").join();
  }
  for (let count = 0; count < 50; count++) {
    const { server } = count % 2 === 0 ? one : two;
    await server.channel("news").publish("published", `news ${count}`);
    if (count % 10 === 0) await server.broadcast("hello", `hello ${count}`);
  }
  await until(() => heard.every(({ length }) => length === 55));
  const newsOf = (list: string[]): string[] => list.filter((text) => text.startsWith("news"));
  expect(newsOf(heard[0]!)).toEqual(Array.from({ length: 50 }, (_, count) => `news ${count}`));
  expect(newsOf(heard[1]!)).toEqual(newsOf(heard[0]!));
});

test("[TW2] a direct event reaches a user's devices on both servers and returns a result for each, with acknowledgements", async (context) => {
  const pair = await Pair.start(context);
  const { server } = pair.servers[0]!;
  const heard: string[] = [];
  for (const [index, device] of ["phone", "tablet", "tv"].entries()) {
    const client = await pair.connected(index % 2, `ada@${device}`);
    if (device !== "tv") client.direct.on("hello", (text) => void heard.push(`${device}: ${text}`));
  }
  await until(async () => (await server.user("ada").devices()).length === 3);
  const report = await server.user("ada").send("hello", "you", { exceptDevice: "phone", ack: true, timeoutMs: 3_000 });
  expect(report).toEqual({ delivered: ["tablet"], failed: [{ deviceId: "tv", reason: "not_handled" }] });
  const all = await server.user("ada").send("hello", "all");
  expect([...all.delivered].sort()).toEqual(["phone", "tablet", "tv"]);
  await until(() => heard.length === 3);
  expect(heard[0]).toBe("tablet: you");
  expect(await server.user("ada").isConnected("tablet")).toBe(true);
});

test("[TW3] a device has one connection across both servers: a newer connection replaces the older one", async (context) => {
  const pair = await Pair.start(context);
  const older = await pair.connected(0, "ada@phone");
  await pair.connected(1, "ada@phone");
  await until(() => older.status.get().name === "closed");
  expect(older.status.get()).toMatchObject({ reason: { code: 4409 } });
  await until(async () => (await pair.servers[0]!.server.user("ada").devices()).length === 1);
});

test("[TW4] a user disconnected on one server is closed on the other within 1 s and cannot resume the old session", async (context) => {
  const pair = await Pair.start(context);
  const [one, two] = pair.servers as [Pair["servers"][0], Pair["servers"][0]];
  const took: number[] = [];
  for (let count = 0; count < 20; count++) {
    const client = await pair.connected(1, `u${count}`);
    const status = client.status.get();
    const sessionId = status.name === "ready" ? status.sessionId : "";
    const start = performance.now();
    const ended = one.server.user(`u${count}`).disconnect();
    await until(() => client.status.get().name === "closed");
    took.push(performance.now() - start);
    expect(await ended).toBe(1);
    expect(two.server.session(sessionId).get()).toBeUndefined();
  }
  const p99 = percentile(took, 0.99);
  reportFigures("T24", { revoked: took.length, p99Ms: Math.round(p99) });
  expect(p99).toBeLessThan(1_000);
});

test("[TW5] both servers show the members of a room, and a member that leaves one server disappears on the other", async (context) => {
  const pair = await Pair.start(context);
  const lists = [0, 1].map(() => new Set<string>());
  const clients = [await pair.connected(0, "ada"), await pair.connected(1, "grace")];
  for (const [index, client] of clients.entries()) {
    const room = presenceOf(client.channel("room", "a"));
    room.set({ name: `n${index}` });
    room.subscribe(({ users }) => {
      lists[index]!.clear();
      for (const { userId } of users) lists[index]!.add(userId);
    });
  }
  await until(() => lists.every(({ size }) => size === 2));
  const { server } = pair.servers[0]!;
  expect(await server.channel("room", "a").presence.count()).toBe(2);
  clients[1]!.disconnect();
  await until(() => lists[0]!.size === 1);
  expect(await server.channel("room", "a").presence.list()).toEqual([
    { userId: "ada", devices: [expect.any(String)], data: { name: "n0" } },
  ]);
});

test("[TW6] a ticket of one server opens exactly one connection on the other", async (context) => {
  const pair = await Pair.start(context);
  const ticket = await pair.servers[0]!.server.issueTicket({ userId: "ada" });
  const { WebSocket } = await import("ws");
  const open = (port: number): Promise<string> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?ticket=${ticket}`);
      socket.once("message", (data) => {
        resolve((JSON.parse((data as Buffer).toString("utf8")) as { type: string }).type);
        socket.close();
      });
      socket.once("unexpected-response", (_, response) => resolve(`HTTP ${response.statusCode}`));
      socket.once("error", () => undefined);
    });
  expect(await open(pair.servers[1]!.port)).toBe("connected");
  expect(await open(pair.servers[0]!.port)).toBe("HTTP 401");
});
