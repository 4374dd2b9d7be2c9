import { describe, expect, test, vi } from "vitest";
import { HoldfastError } from "@holdfast/protocol";
import { basicServer } from "./support/basic-server.js";
import { ForeignPromise } from "./support/foreign-promise.js";

const request = (name: string, input?: unknown, more: object = {}) => ({
  type: "request",
  correlation_id: "r1",
  data: { name, ...(input !== undefined && { input }), ...more },
});
const silent = { debug() {}, info() {}, warn() {}, error() {} };

describe("a request", () => {
  test("[HD1] is answered with the output of the handler, with meta for rich values", async () => {
    const { server, harness, environment } = basicServer();
    server.handle("agent.start", () => ({ startedAt: new Date(environment.now()) }));
    const peer = await harness.connect();
    await peer.send(request("agent.start", { id: "a1" }));
    expect(peer.last("response")).toEqual({
      type: "response",
      correlation_id: "r1",
      data: { ok: true, output: { startedAt: "2027-01-15T08:00:00.000Z" } },
      meta: { values: { startedAt: ["Date"] }, v: 1 },
    });
  });

  test("[HD2] the handler receives validated input with rich values restored", async () => {
    const { server, harness } = basicServer();
    const handler = vi.fn(() => ({ startedAt: new Date() }));
    server.handle("agent.start", handler);
    const peer = await harness.connect();
    await peer.send({
      ...request("agent.start", { id: "a1", at: "2027-01-15T08:00:00.000Z", extra: 1 }),
      meta: { values: { at: ["Date"] } },
    });
    expect(handler).toHaveBeenCalledWith(
      expect.objectContaining({ name: "agent.start", input: { id: "a1", at: new Date("2027-01-15T08:00:00.000Z") } }),
    );
  });

  test.each([
    [{ id: 7 }, undefined, "INVALID_INPUT", "input.id"],
    [{}, undefined, "INVALID_INPUT", "input.id"],
    [undefined, undefined, "INVALID_INPUT", "input"],
    [{ id: "a", at: "today" }, { values: { at: ["RegExp"] } }, "INVALID_INPUT", "meta"],
  ])(
    "[HD3] with the input %j and the meta %j is refused with %s and the field %s",
    async (input, meta, code, field) => {
      const { server, harness } = basicServer();
      const handler = vi.fn(() => ({ startedAt: new Date() }));
      server.handle("agent.start", handler);
      const peer = await harness.connect();
      await peer.send({ ...request("agent.start", input), ...(meta && { meta }) });
      expect(peer.last("response").data).toMatchObject({
        ok: false,
        error: { code, field, remedy: expect.any(String) },
      });
      expect(handler).not.toHaveBeenCalled();
    },
  );

  test.each(["agent.fly", "agent.slow", "constructor", "__proto__"])(
    "[HD4] %s without a handler is refused with UNKNOWN_REQUEST",
    async (name) => {
      const { harness } = basicServer();
      const peer = await harness.connect();
      await peer.send(request(name));
      expect(peer.last("response").data).toMatchObject({
        ok: false,
        error: { code: "UNKNOWN_REQUEST", field: "name" },
      });
    },
  );

  test("[HD5] the handler can throw a declared error with data", async () => {
    const { server, harness } = basicServer();
    server.handle("agent.start", ({ input, error }) => {
      throw error("UNKNOWN_AGENT", { id: input.id }, `There is no agent ${input.id}.`);
    });
    const peer = await harness.connect();
    await peer.send(request("agent.start", { id: "a9" }));
    expect(peer.last("response").data).toEqual({
      ok: false,
      error: { code: "UNKNOWN_AGENT", message: "There is no agent a9.", data: { id: "a9" } },
    });
  });

  test("[HD6] the handler can throw a built-in error with a message and a retry delay", async () => {
    const { server, harness } = basicServer();
    server.handle("agent.ping", ({ error }) => {
      throw error("RATE_LIMITED", "Once a second is enough.", { retryAfterMs: 1_000 });
    });
    const peer = await harness.connect();
    await peer.send(request("agent.ping"));
    expect(peer.last("response").data).toMatchObject({
      ok: false,
      error: { code: "RATE_LIMITED", message: "Once a second is enough.", retry_after_ms: 1_000 },
    });
  });

  test.each([
    [
      "thrown",
      () => {
        throw new Error("password is hunter2");
      },
    ],
    ["rejected", () => Promise.reject(new Error("password is hunter2"))],
    [
      "thrown a string instead of",
      () => {
        throw "hunter2";
      },
    ],
  ])(
    "[HD7] if the handler has %s another error, the answer is INTERNAL, and the cause appears only in the log",
    async (_, handler) => {
      const error = vi.fn();
      const { server, harness } = basicServer({ logger: { ...silent, error } });
      server.handle("agent.ping", handler as () => void);
      const peer = await harness.connect();
      await peer.send(request("agent.ping"));
      expect(peer.last("response").data).toMatchObject({ ok: false, error: { code: "INTERNAL" } });
      expect(JSON.stringify(peer.received)).not.toContain("hunter2");
      expect(error).toHaveBeenCalledOnce();
    },
  );

  test("[HD8] an error of a library call inside a handler is answered as INTERNAL, without its details", async () => {
    const { server, harness } = basicServer({ logger: silent });
    server.handle("agent.ping", async () => {
      await server.channel("updates").publish("changed", { id: 5 } as never);
    });
    const peer = await harness.connect();
    await peer.send(request("agent.ping"));
    expect(peer.last("response").data).toMatchObject({ ok: false, error: { code: "INTERNAL" } });
  });

  test("[HD21] if the handler throws UNAVAILABLE, the answer is UNAVAILABLE without details", async () => {
    const { server, harness } = basicServer({ logger: silent });
    server.handle("agent.ping", () => {
      throw new HoldfastError("UNAVAILABLE", "redis://secret@host cannot be reached.");
    });
    const peer = await harness.connect();
    await peer.send(request("agent.ping"));
    const { error } = peer.last("response").data as unknown as { error: object };
    expect(error).toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("agent.ping") });
    expect(JSON.stringify(error)).not.toContain("secret");
  });

  test("[HD9] output that does not match the schema is answered with INVALID_OUTPUT, and the log has the field", async () => {
    const error = vi.fn();
    const { server, harness } = basicServer({ logger: { ...silent, error } });
    server.handle("agent.start", () => ({ startedAt: "now" }) as never);
    const peer = await harness.connect();
    await peer.send(request("agent.start", { id: "a" }));
    expect(peer.last("response").data).toMatchObject({ ok: false, error: { code: "INVALID_OUTPUT" } });
    expect(error.mock.calls[0]?.[0]).toMatchObject({ field: "output.startedAt" });
  });

  test("[HD10] fields that the output schema does not declare are not sent", async () => {
    const { server, harness } = basicServer();
    server.handle("agent.start", () => ({ startedAt: new Date(0), passwordHash: "x" }));
    const peer = await harness.connect();
    await peer.send(request("agent.start", { id: "a" }));
    expect(JSON.stringify(peer.received)).not.toContain("passwordHash");
  });

  test("[HD1] if the handler returns a promise of another library, the server awaits the promise", async () => {
    const { server, harness } = basicServer();
    server.handle("agent.slow", () => ForeignPromise.resolve("done"));
    const peer = await harness.connect();
    await peer.send(request("agent.slow"));
    expect(peer.last("response").data).toEqual({ ok: true, output: "done" });
  });

  test("[HD7] an error with data that cannot be sent is answered with INTERNAL, whether the handler throws at once or rejects", async () => {
    const { server, harness } = basicServer();
    server.handle("agent.slow", async ({ error }) => {
      throw error("RATE_LIMITED", "Later.", { retryAfterMs: 5n as unknown as number });
    });
    server.handle("agent.ping", ({ error }) => {
      throw error("RATE_LIMITED", "Later.", { retryAfterMs: 5n as unknown as number });
    });
    const peer = await harness.connect();
    await peer.send(request("agent.slow"), { ...request("agent.ping"), correlation_id: "r2" });
    expect(
      peer.of("response").map(({ correlation_id: id, data }) => [id, data.ok === false && data.error.code]),
    ).toEqual(
      expect.arrayContaining([
        ["r1", "INTERNAL"],
        ["r2", "INTERNAL"],
      ]),
    );
    expect(server.stats().requests.inFlight).toBe(0);
  });

  test("[HD20] output above the limit of owed bytes is answered with INVALID_OUTPUT, and the connection stays open", async () => {
    const error = vi.fn();
    const { server, harness } = basicServer({
      limits: { owedBytes: 10_000 },
      logger: { debug() {}, info() {}, warn() {}, error },
    });
    server.handle("agent.slow", () => "é".repeat(5_000));
    const peer = await harness.connect();
    await peer.send(request("agent.slow"));
    expect(peer.last("response").data).toMatchObject({ ok: false, error: { code: "INVALID_OUTPUT" } });
    expect(peer.closed).toBeUndefined();
    expect(error).toHaveBeenCalledWith(
      expect.objectContaining({ request: "agent.slow", limitBytes: 10_000 }),
      expect.any(String),
    );
  });

  test("[HD11] cancel aborts the signal of the handler, and the request is answered once, with CANCELLED", async () => {
    const { server, harness, environment } = basicServer();
    let signal: AbortSignal | undefined;
    server.handle("agent.slow", (context) => {
      signal = context.signal;
      return new Promise((resolve) => signal!.addEventListener("abort", () => resolve("too late")));
    });
    const peer = await harness.connect();
    await peer.send(request("agent.slow"));
    expect(signal?.aborted).toBe(false);
    await peer.send({ type: "cancel", correlation_id: "r1" });
    expect(signal?.aborted).toBe(true);
    expect(peer.of("response").map((message) => message.data)).toMatchObject([
      { ok: false, error: { code: "CANCELLED" } },
    ]);
    expect(server.stats().requests).toEqual({ total: 1, inFlight: 0 });
    expect(environment.timers).toBe(1); // the timer of the heartbeat
  });

  test.each([
    [undefined, 30_000],
    [200, 200],
    [90_000, 30_000],
  ])(
    "[HD12] with a timeout of %s ms is answered with TIMEOUT after %s ms, and the signal of the handler aborts",
    async (timeout_ms, expected) => {
      const { server, harness } = basicServer();
      let signal: AbortSignal | undefined;
      server.handle("agent.slow", (context) => {
        signal = context.signal;
        return new Promise(() => {});
      });
      const peer = await harness.connect();
      await peer.send(request("agent.slow", undefined, timeout_ms === undefined ? {} : { timeout_ms }));
      await harness.advance(expected - 1);
      expect(peer.of("response")).toEqual([]);
      await harness.advance(1);
      expect(peer.last("response").data).toMatchObject({ ok: false, error: { code: "TIMEOUT" } });
      expect(signal?.aborted).toBe(true);
    },
  );

  test("[HD13] if the connection closes, the signal aborts and no state is left", async () => {
    const { server, harness, environment } = basicServer();
    let signal: AbortSignal | undefined;
    server.handle("agent.slow", (context) => {
      signal = context.signal;
      return new Promise(() => {});
    });
    const peer = await harness.connect();
    await peer.send(request("agent.slow"));
    peer.socket.drop();
    expect(signal?.aborted).toBe(true);
    expect(server.stats().requests.inFlight).toBe(0);
    expect(environment.timers).toBe(0);
  });

  test("[HD14] a signal that is first read after the end of the request is already aborted", async () => {
    const { server, harness } = basicServer();
    let context: { signal: AbortSignal } | undefined;
    server.handle("agent.slow", (given) => {
      context = given;
      return new Promise(() => {});
    });
    const peer = await harness.connect();
    await peer.send(request("agent.slow"), { type: "cancel", correlation_id: "r1" });
    expect(context?.signal.aborted).toBe(true);
  });

  test("[HD15] beyond 64 in flight, or with a correlation id that is in use, is refused with LIMIT_EXCEEDED", async () => {
    const { server, harness } = basicServer();
    server.handle("agent.slow", () => new Promise(() => {}));
    const peer = await harness.connect();
    await peer.send(
      ...Array.from({ length: 64 }, (_, index) => ({ ...request("agent.slow"), correlation_id: `n${index}` })),
    );
    expect(peer.of("response")).toEqual([]);
    await peer.send(
      { ...request("agent.slow"), correlation_id: "n64" },
      { ...request("agent.slow"), correlation_id: "n0" },
    );
    expect(
      peer
        .of("response")
        .map((message) => [message.correlation_id, message.data.ok === false && message.data.error.code]),
    ).toEqual([
      ["n64", "LIMIT_EXCEEDED"],
      ["n0", "LIMIT_EXCEEDED"],
    ]);
  });

  test("[HD16] answers are sent in the order of completion, and a synchronous answer before later events", async () => {
    const { server, harness } = basicServer();
    let finish: ((text: string) => void) | undefined;
    server.handle("agent.slow", () => new Promise((resolve) => (finish = resolve)));
    server.handle("agent.ping", async () => void (await server.channel("updates").publish("changed", { id: "a" })));
    const peer = await harness.connect();
    await peer.send({ type: "subscribe", data: { channels: ["updates"] } });
    await peer.send(
      { ...request("agent.slow"), correlation_id: "slow" },
      { ...request("agent.ping"), correlation_id: "quick" },
    );
    finish!("done");
    await harness.settle();
    expect(peer.received.slice(2).map((message) => message.correlation_id ?? message.type)).toEqual([
      "event",
      "quick",
      "slow",
    ]);
  });
});

describe("middleware", () => {
  test("[HD17] the first middleware is the outermost, and each may replace the output", async () => {
    const { server, harness } = basicServer();
    const order: string[] = [];
    for (const name of ["outer", "inner"]) {
      server.use(async (call, next) => {
        order.push(`${name} before ${call.name}`);
        const output = await next();
        order.push(`${name} after`);
        return `${name}(${String(output)})`;
      });
    }
    server.handle("agent.slow", () => "done");
    const peer = await harness.connect();
    await peer.send(request("agent.slow"));
    expect(order).toEqual(["outer before agent.slow", "inner before agent.slow", "inner after", "outer after"]);
    expect(peer.last("response").data).toEqual({ ok: true, output: "outer(inner(done))" });
  });

  test("[HD18] middleware can refuse a request before its handler runs", async () => {
    const { server, harness } = basicServer();
    const handler = vi.fn(() => "done");
    server.use(async ({ error }) => {
      throw error("FORBIDDEN", "Only on weekdays.");
    });
    server.handle("agent.slow", handler);
    const peer = await harness.connect();
    await peer.send(request("agent.slow"));
    expect(peer.last("response").data).toMatchObject({
      ok: false,
      error: { code: "FORBIDDEN", message: "Only on weekdays.", remedy: expect.any(String) },
    });
    expect(handler).not.toHaveBeenCalled();
  });
});

describe("handle", () => {
  test("[HD19] refuses a second handler, an unknown request and a value that is not a function, with the field", () => {
    const { server } = basicServer();
    const refusal = (field: string) => expect.objectContaining({ code: "INVALID_OPTION", field });
    server.handle("agent.ping", () => {});
    expect(() => server.handle("agent.ping", () => {})).toThrow(refusal("agent.ping"));
    expect(() => server.handle("agent.fly" as "agent.ping", () => {})).toThrow(refusal("agent.fly"));
    expect(() => server.handle("agent.slow", 5 as never)).toThrow(refusal("agent.slow"));
  });
});
