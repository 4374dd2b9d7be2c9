import { describe, expect, test, vi } from "vitest";
import {
  acceptsAndDies,
  answers,
  neverOpens,
  refuses,
  refusesToken,
  silent,
  unreachable,
} from "../test/support/behaviours.js";
import { pass, settle, testClient, withFakeTime } from "../test/support/test-client.js";

withFakeTime();

const types = (messages: readonly { type: string }[]): string[] => messages.map(({ type }) => type);

describe("Reconnecting", () => {
  test("[RC3] if a server accepts and then dies, the delays grow", async () => {
    const { world } = testClient(acceptsAndDies(4408), { retry: { minMs: 1_000, maxMs: 8_000 } });
    await pass(60_000);
    const gaps = world.sockets.attempts.slice(1).map(({ at }, index) => at - world.sockets.attempts[index]!.at);
    expect(gaps.slice(0, 5)).toEqual([500, 1_000, 2_000, 4_000, 4_000]);
  });

  test("[RC3] after a connection that was ready for 5 s, the next delay is that of a first retry", async () => {
    const { client, world } = testClient([unreachable(), unreachable(), unreachable(), answers()]);
    await pass(20_000);
    expect(client.status.get().name).toBe("ready");
    world.sockets.last.end(4408);
    expect(client.status.get()).toMatchObject({ name: "waiting", attempt: 1, retryAt: Date.now() + 500 });
  });

  test("[RC4] unknown close codes and a lost connection are retried", async () => {
    const { client, world } = testClient([refuses(4321), unreachable(), answers()]);
    await pass(10_000);
    expect(world.sockets.attempts).toHaveLength(3);
    expect(client.status.get().name).toBe("ready");
  });

  test("[RC5] the hint of a rate limit delays the retry", async () => {
    const { world } = testClient([refuses(4429, '{"retryAfterMs":5000}'), answers()]);
    world.random = 0;
    await pass(4_999);
    expect(world.sockets.attempts).toHaveLength(1);
    await pass(1);
    expect(world.sockets.attempts).toHaveLength(2);
  });

  test("[RC6] after goaway the client stays until the close and reconnects after the announced delay", async () => {
    const { client, world } = testClient();
    await settle();
    world.sockets.last.receive({ type: "goaway", data: { reason: "restart", delay_ms: 3_200 } });
    await pass(2_000);
    expect(client.status.get().name).toBe("ready");
    world.sockets.last.end(1012);
    expect(client.status.get()).toMatchObject({ name: "waiting", retryAt: Date.now() + 3_200 });
  });

  test("[RC7] after refusals the client fetches a new token three times, and after the fourth refusal the client is unauthorized", async () => {
    const token = vi.fn(() => "stale");
    const { client, world } = testClient(refusesToken(), { token });
    await pass(120_000);
    expect(token).toHaveBeenCalledTimes(4);
    expect(world.sockets.attempts).toHaveLength(4);
    expect(client.status.get()).toMatchObject({
      name: "unauthorized",
      reason: {
        name: "UNAUTHENTICATED",
        code: 4401,
        error: { code: "UNAUTHENTICATED", message: "The token has expired." },
      },
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("[RC7] connect() after unauthorized resets the count of renewals", async () => {
    const { client } = testClient([refusesToken(), refusesToken(), refusesToken(), refusesToken(), answers()]);
    await settle();
    expect(client.status.get().name).toBe("unauthorized");
    client.connect();
    await settle();
    expect(client.status.get().name).toBe("ready");
  });

  test("[RC8] 4401 without a token option leads to unauthorized at once", async () => {
    const { client, world } = testClient(refuses(4401), { token: undefined });
    await pass(120_000);
    expect(world.sockets.attempts).toHaveLength(1);
    expect(client.status.get().name).toBe("unauthorized");
  });

  test("[RC9] a token function that returns nothing leads to unauthorized, and no socket opens", async () => {
    const { client, world } = testClient(answers(), { token: () => null });
    await settle();
    expect(client.status.get()).toMatchObject({ name: "unauthorized", reason: { name: "NO_TOKEN" } });
    expect(world.sockets.attempts).toHaveLength(0);
  });

  test.each([
    ["rejects", () => Promise.reject(new Error("500"))],
    [
      "throws",
      () => {
        throw new Error("500");
      },
    ],
    ["returns another type", () => 42 as never],
  ])("[RC10] if the token function %s, the attempt fails and is retried with backoff", async (_, failing) => {
    const token = vi
      .fn<() => string | Promise<string>>(() => "good")
      .mockImplementationOnce(failing)
      .mockImplementationOnce(failing);
    const { client, world } = testClient(answers(), { token });
    await settle();
    expect(client.status.get()).toMatchObject({
      name: "waiting",
      attempt: 1,
      retryAt: 500,
      reason: { name: "TOKEN_FAILED" },
    });
    await pass(500);
    expect(client.status.get()).toMatchObject({ name: "waiting", attempt: 2, retryAt: 1_500 });
    await pass(1_000);
    expect(client.status.get().name).toBe("ready");
    expect(world.sockets.attempts).toHaveLength(1);
  });

  test("[RC11] a token function that never returns is abandoned after connectTimeoutMs, and a late token is ignored", async () => {
    const resolvers: ((token: string) => void)[] = [];
    const token = (): Promise<string> => new Promise((resolve) => resolvers.push(resolve));
    const { client, world } = testClient(answers(), { token });
    await pass(10_000);
    expect(client.status.get()).toMatchObject({ name: "waiting", reason: { name: "TOKEN_FAILED" } });
    await pass(500);
    expect(resolvers).toHaveLength(2);
    resolvers[0]!("late");
    await settle();
    expect(world.sockets.attempts).toHaveLength(0);
    resolvers[1]!("fresh");
    await settle();
    expect(world.sockets.last.of("auth")[0]?.data.token).toBe("fresh");
    expect(client.status.get().name).toBe("ready");
  });

  test("[RC12] connect() while waiting starts the attempt at once", async () => {
    const { client, world } = testClient([refuses(4429, '{"retryAfterMs":50000}'), answers()]);
    await settle();
    expect(client.status.get().name).toBe("waiting");
    client.connect();
    await settle();
    expect(client.status.get().name).toBe("ready");
    expect(world.sockets.attempts).toHaveLength(2);
  });

  test.each(["online", "visible"] as const)(
    "[RC13] while waiting, %s starts the attempt within a second",
    async (hint) => {
      const { client, world } = testClient([
        unreachable(),
        unreachable(),
        unreachable(),
        unreachable(),
        unreachable(),
        answers(),
      ]);
      await pass(14_000);
      expect(client.status.get()).toMatchObject({ name: "waiting", attempt: 5 });
      world.hint(hint);
      await pass(500);
      expect(client.status.get().name).toBe("ready");
    },
  );

  test("[RC14] while offline, no attempt starts until the platform is online", async () => {
    const { client, world } = testClient([unreachable(), answers()]);
    await settle();
    world.online = false;
    await pass(20_000);
    expect(world.sockets.attempts).toHaveLength(1);
    world.online = true;
    world.hint("online");
    await pass(500);
    expect(client.status.get().name).toBe("ready");
  });

  test("[RC14] if the platform reports offline forever, each attempt is postponed by at most maxMs", async () => {
    const { client, world } = testClient([unreachable(), answers()]);
    world.online = false;
    await pass(2_500 + 30_000);
    expect(client.status.get().name).toBe("ready");
  });

  test("[RC15] going offline does not end a live connection", async () => {
    const { client, world } = testClient();
    await settle();
    world.online = false;
    world.hint("offline");
    await pass(20_000);
    expect(client.status.get().name).toBe("ready");
    expect(types(world.sockets.last.sent)).toEqual(["auth"]);
  });

  test.each([1000, 1008, 4400, 4403, 4406, 4409, 4950])(
    "[RC16] after close code %i the client does not reconnect",
    async (code) => {
      const { client, world } = testClient(refuses(code, "because"));
      await pass(120_000);
      expect(world.sockets.attempts).toHaveLength(1);
      expect(client.status.get()).toMatchObject({ name: "closed", reason: { code } });
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  test("[RC19] there is never more than one live socket", async () => {
    const { client, world } = testClient([neverOpens(), silent(), acceptsAndDies(), answers()]);
    for (let step = 0; step < 400; step++) {
      world.random = (step * 0.37) % 1;
      if (step % 7 === 0) world.hint("online");
      if (step % 11 === 0) client.connect();
      if (step % 53 === 0) client.disconnect();
      await pass(307);
      expect(world.sockets.live.length).toBeLessThanOrEqual(1);
    }
    expect(world.sockets.attempts.length).toBeGreaterThan(5);
  });
});
