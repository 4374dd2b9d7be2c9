import { type ClientMessage, defineProtocol } from "@holdfast/protocol";
import { describe, expect, test, vi } from "vitest";
import * as z from "zod/mini";
import { answers, connected } from "../test/support/behaviours.js";
import type { Attempt, Behaviour } from "../test/support/scripted-socket.js";
import { failure, pass, settle, testClient, testClientOf, withFakeTime } from "../test/support/test-client.js";
import { presenceOf } from "./presence.js";

withFakeTime();

const ignore = (): void => undefined;
const limited = (message_bytes: number) =>
  connected({ limits: { message_bytes, subscriptions: 5_000, requests_in_flight: 64 } });

const bytesOf = (message: ClientMessage): number => Buffer.byteLength(JSON.stringify(message));
const largest = (attempt: Attempt, type?: ClientMessage["type"]): number =>
  Math.max(0, ...(type ? attempt.of(type) : attempt.sent).map(bytesOf));
const asked = (attempt: Attempt): string[] =>
  attempt
    .of("subscribe")
    .flatMap(({ data }) => data.channels.map((each) => (typeof each === "string" ? each : each.channel)));

/**
 * A server that closes with 1009 for a message of more bytes than `limit`, whatever limit it
 * announces.
 */
const strict = (limit: () => number, announced = limit): Behaviour => {
  return {
    opened: (attempt) => attempt.open(),
    received(attempt, message) {
      if (bytesOf(message) > limit()) return attempt.end(1009);
      answers({
        connected: limited(announced()),
        request: ({ correlation_id }) => ({ type: "response", correlation_id, data: { ok: true, output: [] } }),
      }).received!(attempt, message);
    },
  };
};

const wantMany = (client: ReturnType<typeof testClient>["client"], count: number, pad = ""): string[] =>
  Array.from({ length: count }, (_, index) => {
    client.channel("board", `${pad}${index}`).on("moved", ignore);
    return `board:${pad}${index}`;
  });

describe("Lists", () => {
  test.each([
    ["short", 300, ""],
    ["of 255 characters", 60, "x".repeat(246)],
    ["whose characters are escaped", 60, '"\\'.repeat(110)],
  ])(
    "[CH23] names %s are subscribed and unsubscribed in messages that the server accepts, each name once",
    async (_, count, pad) => {
      const { client, world } = testClient(strict(() => 2_048));
      await settle();
      const names = wantMany(client, count, pad);
      await settle();
      expect(asked(world.sockets.last)).toEqual(names);
      expect(largest(world.sockets.last)).toBeLessThanOrEqual(2_048);
      expect(largest(world.sockets.last)).toBeGreaterThan(1_200);
      for (let index = 0; index < count; index++) client.channel("board", `${pad}${index}`).on("moved", ignore)();
      world.sockets.last.end();
      await pass(5_000);
      // Sent right behind `auth`, with the limit of the previous connection.
      expect(asked(world.sockets.last)).toEqual(names);
      expect(largest(world.sockets.last)).toBeLessThanOrEqual(2_048);
      expect(world.sockets.attempts).toHaveLength(2);
      expect(client.status.get().name).toBe("ready");
    },
  );

  test("[CH23] unsubscribes are split into messages that the server accepts", async () => {
    const { client, world } = testClient(strict(() => 2_048));
    await settle();
    const offs = Array.from({ length: 60 }, (_, index) =>
      client.channel("board", `${"x".repeat(240)}${index}`).on("moved", ignore),
    );
    await settle();
    for (const off of offs) off();
    await settle();
    const left = world.sockets.last.of("unsubscribe");
    expect(left.flatMap(({ data }) => data.channels)).toHaveLength(60);
    expect(largest(world.sockets.last, "unsubscribe")).toBeLessThanOrEqual(2_048);
  });

  test("[CH23] the size of a message includes positions and counts characters outside ASCII in bytes", async () => {
    const protocol = defineProtocol({
      name: "agents",
      version: "1.0.0",
      channels: { log: { key: z.string(), events: { line: z.string() }, history: { size: 8, ttlMs: 60_000 } } },
    });
    const position = { epoch: "é".repeat(60), offset: 12, id: "日".repeat(100) };
    const good = answers({ connected: limited(1_500), subscribe: () => ({ position, missed: [] }) });
    const { client, world } = testClientOf(protocol, good);
    for (let index = 0; index < 20; index++) client.channel("log", String(index)).on("line", ignore);
    await settle();
    world.sockets.last.end();
    await pass(5_000);
    const { last } = world.sockets;
    expect(asked(last)).toHaveLength(20);
    expect(last.of("subscribe")[0]!.data.channels[0]).toEqual({ channel: "log:0", position });
    expect(largest(last)).toBeLessThanOrEqual(1_500);
  });

  test("[CH23] a channel whose name alone is too large for the server is refused, and the others are joined", async () => {
    const { client, world } = testClient(answers({ connected: limited(200) }));
    await settle();
    const [long, short] = [client.channel("board", "x".repeat(200)), client.channel("board", "b1")];
    for (const board of [long, short]) board.on("moved", ignore);
    await settle();
    expect(asked(world.sockets.last)).toEqual(["board:b1"]);
    expect(short.status.get().name).toBe("subscribed");
    expect(long.status.get()).toMatchObject({
      name: "refused",
      error: {
        code: "LIMIT_EXCEEDED",
        message: expect.stringMatching(/\b2\d\d\b.*\b200\b/),
      },
    });
  });

  test("[CH20] at most 1,000 channels wait for an answer; the other channels follow after the answers", async () => {
    let most = 0;
    let open = 0;
    const good = answers({ connected: limited(65_536) });
    const { client, world } = testClient({
      ...good,
      received(attempt, message) {
        if (message.type !== "subscribe") return good.received!(attempt, message);
        most = Math.max(most, (open += message.data.channels.length));
        setTimeout(() => {
          open -= message.data.channels.length;
          good.received!(attempt, message);
        }, 10);
      },
    });
    await settle();
    const names = wantMany(client, 2_500);
    await pass(100);
    expect(most).toBe(1_000);
    expect(new Set(asked(world.sockets.last))).toEqual(new Set(names));
    expect(client.channel("board", "2499").status.get().name).toBe("idle");
  });

  test("[CH20] if the server refuses a whole message, the channels of the message no longer count", async () => {
    const good = answers({ connected: limited(65_536) });
    const { client, world } = testClient({
      ...good,
      received(attempt, message) {
        if (message.type !== "subscribe") return good.received!(attempt, message);
        const data = { code: "BAD_MESSAGE", message: "No." };
        attempt.receive({ type: "error", correlation_id: message.correlation_id, data } as never);
      },
    });
    await settle();
    wantMany(client, 1_200);
    await pass(10);
    expect(asked(world.sockets.last)).toHaveLength(1_200);
  });
});

describe("Before the greeting", () => {
  test("[CN25] on the first connection each message behind auth takes at most 1,024 bytes", async () => {
    const { client, world } = testClient(strict(() => 1_024));
    const names = wantMany(client, 300);
    await settle();
    expect(asked(world.sockets.last)).toEqual(names);
    expect(largest(world.sockets.last)).toBeLessThanOrEqual(1_024);
    expect(client.status.get().name).toBe("ready");
  });

  test("[CN25] at most 32 KiB behind auth are sent before the greeting; the remaining messages follow the greeting in order", async () => {
    const { client, world } = testClient({ opened: (attempt) => attempt.open() });
    const names = wantMany(client, 900, "x".repeat(100));
    await settle();
    const { last } = world.sockets;
    expect(last.sent.length).toBeLessThanOrEqual(64);
    expect(last.sent.reduce((sum, message) => sum + bytesOf(message), 0)).toBeLessThanOrEqual(33_000);
    expect(asked(last).length).toBeGreaterThan(100);
    last.receive(limited(65_536));
    expect(asked(last)).toEqual(names);
  });

  test("[CH23] if the next server accepts less, the messages that wait for the greeting are split again", async () => {
    // The second server, like a busy server, reads the frames behind `auth` only after the
    // greeting.
    const { client, world } = testClient([strict(() => 131_072), { opened: (attempt) => attempt.open() }]);
    await settle();
    const names = wantMany(client, 300, "x".repeat(230));
    await settle();
    world.sockets.last.end();
    await pass(5_000);
    const { last } = world.sockets;
    const early = asked(last).length;
    expect(early).toBeLessThan(200);
    last.receive(limited(1_024));
    await settle();
    expect(asked(last).toSorted()).toEqual(names.toSorted());
    expect(
      last
        .of("subscribe")
        .map(bytesOf)
        .filter((bytes) => bytes > 1_024),
    ).toHaveLength(early / 100);
    expect(world.errors).toEqual([]);
  });

  const rooms = defineProtocol({
    name: "agents",
    version: "1.0.0",
    channels: { room: { events: { said: z.string() }, presence: z.object({ name: z.string() }) } },
  });

  test("[CN25] a message larger than 1,024 bytes waits for the first greeting and is sent if the server accepts it", async () => {
    const { client, world } = testClientOf(rooms, { opened: (attempt) => attempt.open() });
    presenceOf(client.channel("room")).set({ name: "a".repeat(2_000) });
    await settle();
    expect(world.sockets.last.sent.map(({ type }) => type)).toEqual(["auth", "subscribe"]);
    world.sockets.last.receive(limited(65_536));
    expect(world.sockets.last.sent.map(({ type }) => type)).toEqual(["auth", "subscribe", "set_presence"]);
    expect(world.errors).toEqual([]);
  });

  test("[CN26] a message that the server would refuse is reported with its size and never sent", async () => {
    const { client, world } = testClientOf(rooms, answers({ connected: limited(1_024) }));
    presenceOf(client.channel("room")).set({ name: "日".repeat(400) });
    await settle();
    expect(world.sockets.last.of("set_presence")).toEqual([]);
    expect(world.errors).toMatchObject([
      {
        error: {
          code: "LIMIT_EXCEEDED",
          field: "data",
          message: expect.stringMatching(/\b12\d\d\b.*\b1024\b/),
        },
        context: { source: "send", channel: "room" },
      },
    ]);
    world.sockets.last.end();
    await pass(5_000);
    expect(world.sockets.last.of("set_presence")).toEqual([]);
  });

  test("[PC9] if the limit is known, set() throws for data that is too large, and the earlier data stays", async () => {
    const { client, world } = testClientOf(rooms, answers({ connected: limited(1_024) }));
    const who = presenceOf(client.channel("room"));
    who.set({ name: "a" });
    await settle();
    expect(() => who.set({ name: "ü".repeat(600) })).toThrow(
      expect.objectContaining({
        code: "LIMIT_EXCEEDED",
        field: "data",
        message: expect.stringMatching(/\b12\d\d\b.*\b1024\b/),
        remedy: expect.any(String),
      }),
    );
    await settle();
    expect(world.sockets.last.of("set_presence")).toHaveLength(1);
    expect(world.errors).toEqual([]);
  });
});

describe("Requests", () => {
  test("[RQ21] a request that is too large rejects at the call, even if earlier requests are queued", async () => {
    const limits = { message_bytes: 1_024, subscriptions: 1, requests_in_flight: 1 };
    const { client, world } = testClient(answers({ connected: connected({ limits }) }));
    await settle();
    const first = failure(client.request("agents.find", "a"));
    const second = failure(client.request("agents.find", "b"));
    expect(await failure(client.request("agents.find", "ü".repeat(500)))).toMatchObject({
      code: "LIMIT_EXCEEDED",
      field: "input",
      message: expect.stringMatching(/agents\.find.*\b1\d\d\d\b.*\b1024\b/),
    });
    expect(world.sockets.last.of("request")).toHaveLength(1);
    client.disconnect();
    await Promise.all([first, second]);
  });

  test("[RQ21] a request that was queued while offline and is too large for the server rejects; the other requests are sent", async () => {
    const { client, world } = testClient(strict(() => 1_024));
    const large = failure(client.request("agents.find", "x".repeat(2_000)));
    const small = client.request("agents.find", "x");
    await settle();
    expect(await large).toMatchObject({ code: "LIMIT_EXCEEDED", field: "input" });
    expect(await small).toEqual([]);
    expect(largest(world.sockets.last)).toBeLessThanOrEqual(1_024);
  });
});

describe("Close code 1009", () => {
  test("[RC24] a server that was deployed with a lower limit closes once; then the client knows the limit", async () => {
    let limit = 65_536;
    const { client, world } = testClient(strict(() => limit));
    await settle();
    wantMany(client, 300, "x".repeat(100));
    await settle();
    limit = 2_048;
    world.sockets.last.end();
    await pass(10_000);
    expect(client.status.get().name).toBe("ready");
    expect(world.sockets.attempts).toHaveLength(3);
    expect(new Set(asked(world.sockets.last)).size).toBe(300);
    // The next server has a higher limit.
    limit = 65_536;
    world.sockets.last.end();
    await pass(10_000);
    expect(world.sockets.attempts).toHaveLength(4);
    await client.request("agents.find", "x".repeat(20_000));
  });

  test("[RC24] a query that caused close code 1009 rejects and is not sent again, even if the server announces a higher limit", async () => {
    const { client, world } = testClient(
      strict(
        () => 16_000,
        () => 65_536,
      ),
    );
    await settle();
    const large = failure(client.request("agents.find", "x".repeat(30_000)));
    await pass(10_000);
    expect(await large).toMatchObject({ code: "LIMIT_EXCEEDED", message: expect.stringMatching(/\b150\d\d\b/) });
    expect(world.sockets.attempts).toHaveLength(2);
    expect(client.status.get().name).toBe("ready");
    expect(await client.request("agents.find", "x")).toEqual([]);
    // The next connection remembers the limit.
    world.sockets.last.end();
    await pass(10_000);
    expect(await failure(client.request("agents.find", "x".repeat(30_000)))).toMatchObject({ code: "LIMIT_EXCEEDED" });
    expect(world.sockets.attempts).toHaveLength(3);
  });

  test("[RC24] if no sent message can be made smaller, the client stops, and connect() tries again", async () => {
    const { client, world } = testClient(strict(() => 20));
    await pass(600_000);
    expect(world.sockets.attempts).toHaveLength(1);
    expect(client.status.get()).toMatchObject({
      name: "closed",
      reason: { name: "TOO_BIG", code: 1009, error: { code: "LIMIT_EXCEEDED" } },
    });
    client.connect();
    await pass(600_000);
    expect(world.sockets.attempts).toHaveLength(2);
  });

  test("[RC24] the retries end whatever the server does, because each retry sends at most half as much", async () => {
    const { client, world } = testClient(
      strict(
        () => 20,
        () => 65_536,
      ),
      { token: "t".repeat(16_000) },
    );
    await pass(3_600_000);
    expect(client.status.get().name).toBe("closed");
    expect(world.sockets.attempts).toHaveLength(1);
    expect(await failure(client.request("agents.list"))).toMatchObject({ code: "NOT_CONNECTED" });
  });
});

describe("Credentials", () => {
  test("[RC25] a token that makes auth too large for the server stops the client before a socket opens", async () => {
    let token = "t";
    const { client, world } = testClient(
      strict(() => 2_048),
      { token: () => token },
    );
    await settle();
    token = "é".repeat(1_500);
    world.sockets.last.end();
    await pass(10_000);
    expect(world.sockets.attempts).toHaveLength(1);
    expect(client.status.get()).toMatchObject({
      name: "closed",
      reason: {
        name: "TOO_BIG",
        message: expect.stringMatching(/\b30\d\d\b.*\b2048\b/),
        error: { code: "LIMIT_EXCEEDED", field: "token" },
      },
    });
  });

  test("[RC25] a token of more than 16,384 characters stops the client, even on the first connection", async () => {
    const { client, world } = testClient(answers(), { token: "t".repeat(16_385) });
    await settle();
    expect(world.sockets.attempts).toEqual([]);
    expect(client.status.get()).toMatchObject({ name: "closed", reason: { error: { field: "token" } } });
  });

  test("[RC25] a newer token that is too large is reported, and the connection stays open", async () => {
    const token = vi.fn(() => "t");
    const { world } = testClient(
      strict(() => 2_048),
      { token },
    );
    await settle();
    for (const [large, bytes] of [
      ["t".repeat(3_000), /\b30\d\d\b/],
      ["t".repeat(16_385), /\b16385\b/],
    ] as const) {
      token.mockReturnValueOnce(large);
      world.sockets.last.receive({ type: "auth_expiring", data: { expires_at: 30 } });
      await settle();
      expect(world.errors.pop()).toMatchObject({
        error: { code: "LIMIT_EXCEEDED", field: "token", message: expect.stringMatching(bytes) },
        context: { source: "send" },
      });
    }
    expect(world.sockets.last.of("auth")).toHaveLength(1);
    expect(world.sockets.attempts).toHaveLength(1);
  });
});
