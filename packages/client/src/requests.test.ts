import { HoldfastError, isDeclaredError, type ServerMessage } from "@holdfast/protocol";
import { describe, expect, test, vi } from "vitest";
import { agents } from "../test/support/agents.js";
import { answers, connected, refuses, refusesToken, silent } from "../test/support/behaviours.js";
import { failure, pass, settle, testClient, withFakeTime } from "../test/support/test-client.js";

withFakeTime();

const ok = (id: string, output?: unknown, meta?: unknown): ServerMessage => ({
  type: "response",
  correlation_id: id,
  data: { ok: true, output },
  ...(meta !== undefined && { meta }),
});
const failed = (
  id: string,
  error: { code: string; message: string; data?: unknown },
  meta?: unknown,
): ServerMessage => ({
  type: "response",
  correlation_id: id,
  data: { ok: false, error },
  ...(meta !== undefined && { meta }),
});
const start = { id: "a1", startedAt: "2026-11-21T09:30:00.000Z" };
const startMeta = { values: { startedAt: ["Date"] } };

describe("The answer", () => {
  test("[RQ1] the output is validated and its rich values are restored", async () => {
    const { client, world } = testClient(
      answers({ request: ({ correlation_id }) => ok(correlation_id, start, startMeta) }),
    );
    const output = await client.request("agent.start", { program: "primes" });
    expect(output).toEqual({ id: "a1", startedAt: new Date("2026-11-21T09:30:00.000Z") });
    expect(world.sockets.last.of("request")[0]).toMatchObject({
      data: { name: "agent.start", input: { program: "primes" } },
    });
  });

  test("[RQ9] a declared error has validated and restored data", async () => {
    const data = { known: ["primes"], since: "2026-01-01T00:00:00.000Z" };
    const refusal = { code: "UNKNOWN_PROGRAM", message: "No such program.", data };
    const request = ({ correlation_id }: { correlation_id: string }) =>
      failed(correlation_id, refusal, { values: { since: ["Date"] } });
    const { client } = testClient(answers({ request }));
    const error = await client.request("agent.start", { program: "x" }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(HoldfastError);
    if (!isDeclaredError(agents, "agent.start", error)) throw error;
    expect(error).toMatchObject({ code: "UNKNOWN_PROGRAM", message: "No such program." });
    expect(error.data).toEqual({ known: ["primes"], since: new Date("2026-01-01T00:00:00.000Z") });
  });

  test("[RQ9] a built-in error has its field, remedy and delay", async () => {
    const error = { code: "RATE_LIMITED", message: "Too fast.", field: "input", remedy: "Slower.", retry_after_ms: 7 };
    const { client } = testClient(answers({ request: ({ correlation_id }) => failed(correlation_id, error) }));
    await expect(client.request("agents.list")).rejects.toMatchObject({
      code: "RATE_LIMITED",
      field: "input",
      remedy: "Slower.",
      retryAfterMs: 7,
    });
  });

  test.each([
    ["output", (id: string) => ok(id, { id: "a1" }), "output.startedAt"],
    [
      "declared error",
      (id: string) => failed(id, { code: "UNKNOWN_PROGRAM", message: "No.", data: { known: [] } }),
      "error.data.since",
    ],
  ])(
    "[RQ10] an answer whose %s does not match the protocol rejects with INVALID_OUTPUT and the field",
    async (_, answer, field) => {
      const { client } = testClient(answers({ request: ({ correlation_id }) => answer(correlation_id) }));
      await expect(client.request("agent.start", { program: "x" })).rejects.toMatchObject({
        code: "INVALID_OUTPUT",
        field,
      });
    },
  );

  test("[RQ14] if an unreadable answer names a request, the request rejects with BAD_MESSAGE", async () => {
    const { client, world } = testClient();
    await settle();
    const pending = client.request("agents.list");
    await settle();
    const { correlation_id } = world.sockets.last.of("request")[0]!;
    world.sockets.last.receiveText(JSON.stringify({ type: "response", correlation_id, data: {} }));
    await expect(pending).rejects.toMatchObject({ code: "BAD_MESSAGE" });
    expect(world.errors).toEqual([]);
  });

  test("[RQ13] if an error message names a request, the request rejects with that error", async () => {
    const refuse = (correlation_id: string): ServerMessage => ({
      type: "error",
      correlation_id,
      data: { code: "RATE_LIMITED", message: "Too fast." },
    });
    const { client, world } = testClient(answers({ request: ({ correlation_id }) => refuse(correlation_id) }));
    await expect(client.request("agents.list")).rejects.toMatchObject({ code: "RATE_LIMITED" });
    expect(world.errors).toEqual([]);
  });

  test("[RQ15] an answer without a request, or a second answer, is ignored", async () => {
    const { client, world } = testClient(answers({ request: ({ correlation_id }) => ok(correlation_id, ["a"]) }));
    await expect(client.request("agents.list")).resolves.toEqual(["a"]);
    const { correlation_id } = world.sockets.last.of("request")[0]!;
    world.sockets.last.receive(ok(correlation_id, ["b"]));
    world.sockets.last.receive(ok("nobody", ["c"]));
    expect(world.errors).toEqual([]);
    expect(client.status.get().name).toBe("ready");
  });
});

describe("Sending", () => {
  test("[RQ2] a wrong input rejects with the field of the fault, and nothing is sent", async () => {
    const { client, world } = testClient();
    await settle();
    await expect(client.request("agent.start", { program: 7 } as never)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      field: "input.program",
    });
    expect(world.sockets.last.of("request")).toEqual([]);
    expect(vi.getTimerCount()).toBe(1);
  });

  test("[RQ2] a request that the protocol does not have rejects with UNKNOWN_REQUEST", async () => {
    const { client } = testClient();
    await expect(client.request("constructor" as never)).rejects.toMatchObject({ code: "UNKNOWN_REQUEST" });
  });

  test("[RQ16] options are the third argument, whether the input is required, optional or not declared", async () => {
    const { client, world } = testClient();
    await settle();
    const calls = [
      client.request("agent.start", { program: "a" }, { timeoutMs: 10 }),
      client.request("agents.list", undefined, { timeoutMs: 20 }),
      client.request("agents.find", undefined, { timeoutMs: 30 }),
      client.request("agents.find", "x", { timeoutMs: 40 }),
    ].map((call) => call.catch((error: unknown) => error));
    await pass(40);
    expect(await Promise.all(calls)).toMatchObject(
      [10, 20, 30, 40].map((ms) => ({ code: "TIMEOUT", message: expect.stringContaining(`${ms} ms`) })),
    );
    expect(world.sockets.last.of("request").map(({ data }) => data.input)).toEqual([
      { program: "a" },
      undefined,
      undefined,
      "x",
    ]);
  });

  test.each([{ timeoutMs: 10 }, {}, null, "x"])(
    "[RQ16] an input %j for a request that declares none rejects with INVALID_INPUT and explains how to pass options",
    async (given) => {
      const { client, world } = testClient();
      await settle();
      await expect(client.request("agents.list", given as never)).rejects.toMatchObject({
        code: "INVALID_INPUT",
        field: "input",
        remedy: expect.stringContaining("options"),
      });
      expect(world.sockets.last.of("request")).toEqual([]);
    },
  );

  test("[RQ17] the server receives the time that the caller still waits", async () => {
    const { client, world } = testClient([silent(), answers()]);
    const call = client.request("agents.list", undefined, { timeoutMs: 20_000 });
    call.catch(() => undefined);
    await pass(13_000);
    expect(world.sockets.last.of("request")[0]!.data.timeout_ms).toBe(7_500);
    void client.request("agents.list", undefined, { timeoutMs: Number.POSITIVE_INFINITY }).catch(() => undefined);
    expect(world.sockets.last.of("request")[1]!.data.timeout_ms).toBe(3_600_000);
  });

  test("[RQ12] a request larger than the server accepts rejects and is never sent", async () => {
    const limits = { message_bytes: 200, subscriptions: 1, requests_in_flight: 64 };
    const { client, world } = testClient(answers({ connected: connected({ limits }) }));
    await settle();
    await expect(client.request("agents.find", "ü".repeat(60))).rejects.toMatchObject({
      code: "LIMIT_EXCEEDED",
      field: "input",
    });
    void client.request("agents.find", "u".repeat(60)).catch(() => undefined);
    expect(world.sockets.last.of("request")).toHaveLength(1);
  });

  test("[RQ11] no more requests are in flight than the server allows; an answer releases the next request", async () => {
    const limits = { message_bytes: 65_536, subscriptions: 1, requests_in_flight: 2 };
    const { client, world } = testClient(answers({ connected: connected({ limits }) }));
    const found = ["a", "b", "c", "d"].map((name) => client.request("agents.find", name));
    await settle();
    const sent = () => world.sockets.last.of("request");
    expect(sent().map(({ data }) => data.input)).toEqual(["a", "b"]);
    world.sockets.last.receive(ok(sent()[1]!.correlation_id, ["B"]));
    expect(sent().map(({ data }) => data.input)).toEqual(["a", "b", "c"]);
    for (const index of [0, 2, 3]) world.sockets.last.receive(ok(sent()[index]!.correlation_id, [String(index)]));
    expect(await Promise.all(found)).toEqual([["0"], ["B"], ["2"], ["3"]]);
  });

  test("[RQ11] a request that has timed out counts until the server has answered the request", async () => {
    const limits = { message_bytes: 65_536, subscriptions: 1, requests_in_flight: 1 };
    const { client, world } = testClient(answers({ connected: connected({ limits }) }));
    await settle();
    await expect(
      Promise.all([client.request("agents.list", undefined, { timeoutMs: 10 }), pass(10)]),
    ).rejects.toMatchObject({
      code: "TIMEOUT",
    });
    const second = client.request("agents.list");
    await settle();
    expect(world.sockets.last.of("request")).toHaveLength(1);
    const { correlation_id } = world.sockets.last.of("request")[0]!;
    world.sockets.last.receive(failed(correlation_id, { code: "CANCELLED", message: "Cancelled." }));
    world.sockets.last.receive(ok(world.sockets.last.of("request")[1]!.correlation_id, []));
    await expect(second).resolves.toEqual([]);
  });
});

describe("Waiting for a connection", () => {
  test("[RQ3] while not ready, requests are queued, and are sent in the order of their calls", async () => {
    const { client, world } = testClient([
      silent(),
      answers({ request: ({ correlation_id }) => ok(correlation_id, []) }),
    ]);
    const all = ["a", "b", "c"].map((name) => client.request("agents.find", name));
    await pass(12_500);
    await Promise.all(all);
    expect(world.sockets.attempts[0]!.of("request")).toEqual([]);
    expect(world.sockets.last.of("request").map(({ data }) => data.input)).toEqual(["a", "b", "c"]);
  });

  test("[RQ4] at most 1,000 requests are queued", async () => {
    const { client } = testClient(silent());
    const waiting = Array.from({ length: 1_000 }, () => client.request("agents.list").catch((error: unknown) => error));
    await expect(client.request("agents.list")).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
    client.disconnect();
    expect((await Promise.all(waiting)).every((error) => (error as HoldfastError).code === "NOT_CONNECTED")).toBe(true);
  });

  test("[RQ5] in idle, closed and unauthorized a request rejects at once", async () => {
    const idle = testClient(answers(), { autoConnect: false });
    await expect(idle.client.request("agents.list")).rejects.toMatchObject({ code: "NOT_CONNECTED" });
    const closed = testClient(refuses(4403));
    await settle();
    await expect(closed.client.request("agents.list")).rejects.toMatchObject({ code: "NOT_CONNECTED" });
    const unauthorized = testClient(answers(), { token: () => "" });
    await settle();
    await expect(unauthorized.client.request("agents.list")).rejects.toMatchObject({ code: "NOT_CONNECTED" });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("[RQ5] queued requests reject when the client becomes unauthorized", async () => {
    const { client } = testClient(refusesToken());
    const waiting = client.request("agents.list");
    await expect(waiting).rejects.toMatchObject({ code: "NOT_CONNECTED", cause: { code: "UNAUTHENTICATED" } });
  });
});

describe("Giving up", () => {
  test("[RQ6] a request without an answer in time rejects with TIMEOUT, sends a cancel, and leaves no timer", async () => {
    const { client, world } = testClient();
    await settle();
    const timers = vi.getTimerCount();
    const pending = client.request("agents.list", undefined, { timeoutMs: 5_000 });
    const outcome = failure(pending);
    await pass(5_000);
    expect(await outcome).toMatchObject({ code: "TIMEOUT" });
    const { correlation_id } = world.sockets.last.of("request")[0]!;
    expect(world.sockets.last.of("cancel")).toEqual([{ type: "cancel", correlation_id }]);
    expect(vi.getTimerCount()).toBe(timers);
  });

  test("[RQ6] requestTimeoutMs applies if a call sets no timeout, including the wait for a connection", async () => {
    const { client, world } = testClient(silent(), { requestTimeoutMs: 3_000 });
    const outcome = failure(client.request("agents.list"));
    await pass(3_000);
    // The error has to blame the connection and not the request.
    expect(await outcome).toMatchObject({
      code: "TIMEOUT",
      message: expect.stringMatching(/3000 ms.*ws:\/\/localhost\/ws/) as unknown,
    });
    expect(world.sockets.last.of("cancel")).toEqual([]);
  });

  test("[RQ7] an aborted request rejects with CANCELLED and the signal's reason, and sends a cancel", async () => {
    const { client, world } = testClient();
    await settle();
    const controller = new AbortController();
    const pending = client.request("agents.list", undefined, { signal: controller.signal });
    await settle();
    controller.abort("left the page");
    await expect(pending).rejects.toMatchObject({ code: "CANCELLED", cause: "left the page" });
    expect(world.sockets.last.of("cancel")).toHaveLength(1);
  });

  test("[RQ7] an already aborted signal sends nothing, and an answered request leaves no listener on its signal", async () => {
    const { client, world } = testClient(answers({ request: ({ correlation_id }) => ok(correlation_id, []) }));
    await settle();
    const timers = vi.getTimerCount();
    await expect(client.request("agents.list", undefined, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "CANCELLED",
    });
    expect(world.sockets.last.of("request")).toEqual([]);
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, "removeEventListener");
    await client.request("agents.list", undefined, { signal });
    expect(removed).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(timers);
  });
});

test.each([{}, 5, "now", () => undefined])(
  "[RQ22] a signal that is not an AbortSignal (%s) rejects the call and leaves no timer",
  async (none) => {
    const { client } = testClient(answers());
    await settle();
    const timers = vi.getTimerCount();
    const signal = none as never;
    const refused = { code: "INVALID_VALUE", field: "signal" };
    await expect(client.request("agents.list", undefined, { signal })).rejects.toMatchObject(refused);
    await expect(client.channel("board", "b1").join({ signal })).rejects.toMatchObject(refused);
    expect(vi.getTimerCount()).toBe(timers);
    await pass(60_000);
  },
);

describe("When the connection drops", () => {
  test("[RQ8] a query is sent again, another request in flight rejects with CONNECTION_LOST, and an unsent request stays queued", async () => {
    const limits = { message_bytes: 65_536, subscriptions: 1, requests_in_flight: 3 };
    const answering = answers({
      request: ({ correlation_id, data }) =>
        ok(
          correlation_id,
          data.name === "agent.start" ? start : [String(data.input)],
          data.name === "agent.start" ? startMeta : undefined,
        ),
    });
    const { client, world } = testClient([answers({ connected: connected({ limits }) }), answering]);
    const query = client.request("agents.find", "1");
    const mutation = client.request("agent.rename", { name: "2" });
    const once = client.request("agent.start", { program: "3" });
    const unsent = client.request("agent.start", { program: "4" });
    const outcomes = [query, failure(mutation), failure(once), unsent];
    await settle();
    expect(world.sockets.last.of("request")).toHaveLength(3);
    world.sockets.last.end();
    await pass(5_000);
    expect(await Promise.all(outcomes)).toMatchObject([
      ["1"],
      { code: "CONNECTION_LOST" },
      { code: "CONNECTION_LOST" },
      { id: "a1" },
    ]);
    expect(world.sockets.last.of("request").map(({ data }) => data.input)).toEqual(["1", { program: "4" }]);
  });

  test("[RQ11] requests in flight on the lost connection no longer count", async () => {
    const limits = { message_bytes: 65_536, subscriptions: 1, requests_in_flight: 1 };
    const { client, world } = testClient(answers({ connected: connected({ limits }) }));
    const first = failure(client.request("agent.rename", { name: "a" }));
    await settle();
    world.sockets.last.end();
    expect(await first).toMatchObject({ code: "CONNECTION_LOST" });
    const second = failure(client.request("agent.rename", { name: "b" }));
    await pass(5_000);
    expect(world.sockets.last.of("request").map(({ data }) => data.input)).toEqual([{ name: "b" }]);
    client.disconnect();
    await second;
  });

  test("[RQ8] a query that is sent again is sent before later requests", async () => {
    const { client, world } = testClient([
      answers(),
      answers({ request: ({ correlation_id }) => ok(correlation_id, []) }),
    ]);
    const first = client.request("agents.find", "first");
    await settle();
    world.sockets.last.end();
    const second = client.request("agents.find", "second");
    await pass(5_000);
    await Promise.all([first, second]);
    expect(world.sockets.last.of("request").map(({ data }) => data.input)).toEqual(["first", "second"]);
  });

  test("[RQ8] if the client will not reconnect, a sent request that may have taken effect rejects with CONNECTION_LOST", async () => {
    const { client, world } = testClient();
    const once = client.request("agent.start", { program: "x" });
    const query = client.request("agents.list");
    const outcomes = [failure(once), failure(query)];
    await settle();
    world.sockets.last.end(4409);
    expect(await Promise.all(outcomes)).toMatchObject([{ code: "CONNECTION_LOST" }, { code: "NOT_CONNECTED" }]);
  });

  test("[RQ23] request() and join() treat `null` as options like no options", async () => {
    const { client, world } = testClient();
    void client.request("agents.list", undefined, null as never);
    const joined = client.channel("board", "b1").join(null as never);
    await settle();
    expect(world.sockets.last.of("request")).toHaveLength(1);
    await joined;
    client.disconnect();
    await settle();
  });

  test("[CN8] disconnect() rejects every pending request with NOT_CONNECTED", async () => {
    const { client } = testClient();
    const pending = [client.request("agent.start", { program: "x" }), client.request("agents.list")];
    const outcomes = pending.map(failure);
    await settle();
    client.disconnect();
    expect(await Promise.all(outcomes)).toMatchObject([{ code: "NOT_CONNECTED" }, { code: "NOT_CONNECTED" }]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
