import { HoldfastError } from "@holdfast/protocol";
import { describe, expect, test, vi } from "vitest";
import {
  answers,
  connected,
  neverOpens,
  refuses,
  refusesToken,
  silent,
  unreachable,
} from "../test/support/behaviours.js";
import { onChange } from "../test/support/changes.js";
import { pass, settle, testClient, withFakeTime } from "../test/support/test-client.js";
import type { Logger } from "./options.js";

withFakeTime();

const types = (messages: readonly { type: string }[]): string[] => messages.map(({ type }) => type);

describe("Connecting", () => {
  test("[CN1] createClient connects", async () => {
    const { client, world } = testClient();
    expect(client.status.get()).toEqual({ name: "connecting", attempt: 1 });
    await settle();
    expect(client.status.get()).toMatchObject({ name: "ready", sessionId: "s1", userId: "u1" });
    expect(world.sockets.attempts).toHaveLength(1);
  });

  test("[CN1] with autoConnect false the client waits for connect()", async () => {
    const { client, world } = testClient(answers(), { autoConnect: false });
    await pass(60_000);
    expect(client.status.get()).toEqual({ name: "idle" });
    client.connect();
    await settle();
    expect(client.status.get().name).toBe("ready");
    expect(world.sockets.attempts).toHaveLength(1);
  });

  test("[CN2] the client offers its codec's subprotocol, and the subprotocol that announces auth as the first message", async () => {
    const { world } = testClient();
    await settle();
    expect(world.sockets.last.target.subprotocols).toEqual(["holdfast.v1.json", "holdfast.v1.auth"]);
  });

  test("[CN3] the token is sent in the first message and never in the address", async () => {
    const { world } = testClient(answers(), { token: "s3cret" });
    await settle();
    expect(world.sockets.last.sent[0]).toMatchObject({ type: "auth", data: { token: "s3cret" } });
    expect(world.sockets.last.target.url).toBe("ws://localhost/ws");
  });

  test("[CN3] the token function is called before every attempt", async () => {
    let calls = 0;
    const { world } = testClient(answers(), { token: () => Promise.resolve(`token-${++calls}`) });
    await settle();
    world.sockets.last.end();
    await pass(5_000);
    expect(world.sockets.attempts.map((attempt) => attempt.of("auth")[0]?.data.token)).toEqual(["token-1", "token-2"]);
  });

  test("[CN4] right behind auth, in the same turn, the client sends one subscribe for all wanted channels", async () => {
    const { client, world } = testClient(neverOpens());
    client.channel("agent-updates").on("removed", () => undefined);
    client.channel("board", "b1").on("moved", () => undefined);
    await settle();
    world.sockets.last.open();
    // The test awaits nothing, because the subscribe must not be sent a turn later.
    const { sent } = world.sockets.last;
    expect(types(sent)).toEqual(["auth", "subscribe"]);
    expect(sent[1]).toMatchObject({ data: { channels: ["agent-updates", "board:b1"] } });
  });

  test("[CN5] the status goes from connecting to authenticating to ready, and get() returns the same object while the status does not change", async () => {
    const { client, world } = testClient();
    expect(client.status.get()).toBe(client.status.get());
    await settle();
    expect(world.statuses).toEqual(["authenticating", "ready"]);
    const ready = client.status.get();
    world.sockets.last.receive({ type: "goaway", data: { reason: "restart", delay_ms: 10 } });
    expect(client.status.get()).toBe(ready);
  });

  test("[CN6] after a drop, `auth` contains the id of the session to resume and the device id", async () => {
    const { world } = testClient(answers(), { deviceId: "kitchen" });
    await settle();
    expect(world.sockets.last.of("auth")[0]!.data).toEqual({ token: "t0ken", device_id: "kitchen" });
    world.sockets.last.end();
    await pass(5_000);
    expect(world.sockets.last.of("auth")[0]!.data).toMatchObject({ session_id: "s1", device_id: "kitchen" });
  });

  test("[CN15] a client without a token sends auth with its device and the session to resume", async () => {
    const { client, world } = testClient(answers(), { token: undefined, deviceId: "kitchen" });
    client.channel("agent-updates").on("removed", () => undefined);
    await settle();
    expect(types(world.sockets.last.sent)).toEqual(["auth", "subscribe"]);
    expect(world.sockets.last.of("auth")[0]!.data).toEqual({ device_id: "kitchen" });
    expect(client.status.get().name).toBe("ready");
    world.sockets.last.end();
    await pass(5_000);
    expect(world.sockets.last.of("auth")[0]!.data).toEqual({ device_id: "kitchen", session_id: "s1" });
  });

  test("[CN18] a ready client reports whether its session was resumed", async () => {
    const { client, world } = testClient([answers(), answers({ connected: connected({ resumed: true }) })]);
    await settle();
    expect(client.status.get()).toMatchObject({ name: "ready", resumed: false });
    world.sockets.last.end();
    await pass(5_000);
    expect(client.status.get()).toMatchObject({ name: "ready", sessionId: "s1", resumed: true });
  });

  test("[CN19] the client accepts a server that greets at once and answers auth later or never", async () => {
    const { client, world } = testClient(silent());
    await settle();
    world.sockets.last.receive(connected());
    expect(client.status.get().name).toBe("ready");
    world.sockets.last.receive({ type: "auth_response", data: { success: true } });
    await pass(20_000);
    expect(client.status.get().name).toBe("ready");
    expect(world.sockets.attempts).toHaveLength(1);
    expect(world.errors).toEqual([]);
  });

  test.each([
    ["chat", "1.0.0"],
    ["agents", "2.0.0"],
    ["agents", "0.1.0"],
  ])(
    "[CN7] if the server runs %s %s, the client closes with 4406 and reports PROTOCOL_MISMATCH",
    async (name, version) => {
      const other = connected({ protocol: { name, version, fingerprint: "x" } });
      const { client, world } = testClient(answers({ connected: other }));
      await pass(120_000);
      expect(world.sockets.attempts).toHaveLength(1);
      expect(world.sockets.last.closed?.code).toBe(4406);
      const status = client.status.get();
      expect(status).toMatchObject({ name: "closed", reason: { name: "UNSUPPORTED_PROTOCOL", code: 4406 } });
      expect("reason" in status && status.reason.error).toMatchObject({ code: "PROTOCOL_MISMATCH" });
      expect(world.errors.map(({ error }) => error.code)).toEqual(["PROTOCOL_MISMATCH"]);
    },
  );

  test("[CN7] a server with another minor version is accepted", async () => {
    const newer = connected({ protocol: { name: "agents", version: "1.7.3", fingerprint: "x" } });
    const { client } = testClient(answers({ connected: newer }));
    await settle();
    expect(client.status.get().name).toBe("ready");
  });

  test("[CN10] connect() while connecting or connected does nothing", async () => {
    const { client, world } = testClient();
    client.connect();
    await settle();
    client.connect();
    await pass(1_000);
    expect(world.sockets.attempts).toHaveLength(1);
    expect(world.statuses).toEqual(["authenticating", "ready"]);
  });

  test.each([
    ["never opens", neverOpens()],
    ["opens and stays silent", silent()],
  ])("[CN11] if a server %s, the attempt fails after connectTimeoutMs", async (_, behaviour) => {
    const { client, world } = testClient([behaviour, answers()]);
    await pass(9_999);
    expect(world.sockets.last.closed).toBeUndefined();
    await pass(1);
    expect(world.sockets.last.closed?.code).toBe(4408);
    expect(client.status.get()).toMatchObject({ name: "waiting", attempt: 1, reason: { name: "CONNECT_TIMEOUT" } });
    await pass(2_500);
    expect(client.status.get().name).toBe("ready");
  });

  test("[CN14] a frame that cannot be read goes to onError, and the connection stays open", async () => {
    const { client, world } = testClient();
    await settle();
    world.sockets.last.receiveText("{");
    world.sockets.last.receiveText(JSON.stringify({ type: "event" }));
    expect(world.errors.map(({ error, context }) => [error.code, context.source])).toEqual([
      ["BAD_MESSAGE", "message"],
      ["BAD_MESSAGE", "message"],
    ]);
    expect(client.status.get().name).toBe("ready");
  });

  test("[CN14] an error message without a caller goes to onError", async () => {
    const { world } = testClient();
    await settle();
    world.sockets.last.receive({
      type: "error",
      data: { code: "RATE_LIMITED", message: "Slow down.", retry_after_ms: 5 },
    });
    expect(world.errors).toMatchObject([
      { error: { code: "RATE_LIMITED", retryAfterMs: 5 }, context: { source: "server" } },
    ]);
  });

  test("[CN16] a status listener that throws is reported and does not affect other listeners", async () => {
    const { client, world } = testClient();
    const heard: string[] = [];
    onChange(client.status, () => {
      throw new Error("bad listener");
    });
    onChange(client.status, (status) => heard.push(status.name));
    await settle();
    expect(heard).toEqual(["authenticating", "ready"]);
    expect(world.errors[0]).toMatchObject({ error: { code: "HANDLER_FAILED" }, context: { source: "listener" } });
  });

  test("[CN27] a status listener receives the current status at once, and an error of that call is reported", async () => {
    const { client, world } = testClient();
    const heard: string[] = [];
    client.status.subscribe(({ name }) => heard.push(name));
    client.channel("agent-updates").status.subscribe(({ name }) => {
      heard.push(name);
      throw new Error("bad listener");
    });
    expect(heard).toEqual(["connecting", "idle"]);
    expect(world.errors).toMatchObject([
      { error: { code: "HANDLER_FAILED" }, context: { source: "listener", channel: "agent-updates" } },
    ]);
    await settle();
    expect(heard).toEqual(["connecting", "idle", "authenticating", "ready"]);
  });

  test("the token never reaches the log", async () => {
    const lines: string[] = [];
    const log = (fields: object, message: string): void => void lines.push(JSON.stringify(fields) + message);
    const logger: Logger = { debug: log, info: log, warn: log, error: log };
    testClient([refusesToken(), answers()], { token: "s3cret", logger });
    await pass(10_000);
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.join("\n")).not.toContain("s3cret");
  });
});

describe("The heartbeat of a connection", () => {
  test("[HB1] a ping is answered at once with the correlation id of the ping", async () => {
    const { world } = testClient();
    await settle();
    world.sockets.last.receive({ type: "ping", correlation_id: "p7" });
    world.sockets.last.receive({ type: "ping" });
    expect(world.sockets.last.of("pong")).toEqual([{ type: "pong", correlation_id: "p7" }, { type: "pong" }]);
  });

  test("[HB2] if the server is silent for the interval plus the timeout, the client closes with 4408 and reconnects", async () => {
    const heartbeat = { interval_ms: 5_000, timeout_ms: 2_000 };
    const { client, world } = testClient(answers({ connected: connected({ heartbeat }) }));
    await pass(6_999);
    expect(client.status.get().name).toBe("ready");
    await pass(1);
    expect(world.sockets.attempts[0]!.closed?.code).toBe(4408);
    expect(client.status.get()).toMatchObject({ name: "waiting", reason: { name: "HEARTBEAT_MISSED" } });
    await pass(1_000);
    expect(client.status.get().name).toBe("ready");
  });

  test.each(["online", "visible"] as const)(
    "[HB4] while ready, %s sends a probe, and 3 s without a frame end the connection",
    async (hint) => {
      const mute = answers();
      const { client, world } = testClient([
        { ...mute, received: (a, m) => m.type !== "ping" && mute.received!(a, m) },
        answers(),
      ]);
      await settle();
      world.hint(hint);
      expect(types(world.sockets.last.sent)).toContain("ping");
      await pass(3_000);
      expect(client.status.get().name).toBe("waiting");
      await pass(3_000);
      expect(client.status.get().name).toBe("ready");
      world.hint(hint);
      await pass(10_000);
      expect(client.status.get().name).toBe("ready");
    },
  );
});

describe("disconnect()", () => {
  test("[CN8] closes with 1000, leaves no timer and no listener, and stays closed", async () => {
    const { client, world } = testClient();
    await settle();
    client.disconnect();
    expect(client.status.get()).toMatchObject({ name: "closed", reason: { name: "DISCONNECTED", code: 1000 } });
    expect(world.sockets.last.closed).toEqual({ code: 1000, reason: "" });
    expect(vi.getTimerCount()).toBe(0);
    expect(world.hintListeners).toBe(0);
    world.hint("online");
    await pass(120_000);
    expect(world.sockets.attempts).toHaveLength(1);
  });

  test.each([
    ["while the token is fetched", { token: () => new Promise<string>(() => undefined) }, answers()],
    ["while the socket opens", {}, neverOpens()],
    ["during the handshake", {}, silent()],
    ["while waiting", {}, unreachable()],
    ["while ready", {}, answers()],
    ["while a probe is pending", {}, answers()],
  ])("[RC18] %s leaves no timer and starts no further attempt", async (when, options, behaviour) => {
    const { client, world } = testClient(behaviour, options);
    await settle();
    if (when.includes("probe")) world.hint("visible");
    const made = world.sockets.attempts.length;
    client.disconnect();
    expect(vi.getTimerCount()).toBe(0);
    await pass(120_000);
    expect(world.sockets.attempts).toHaveLength(made);
    expect(client.status.get().name).toBe("closed");
  });

  test("[CN8] works in every state, twice, and in a status listener", async () => {
    const { client, world } = testClient();
    onChange(client.status, (status) => status.name === "ready" && client.disconnect());
    await settle();
    client.disconnect();
    expect(world.statuses).toEqual(["authenticating", "ready", "closed"]);
    expect(world.sockets.live).toEqual([]);
  });

  test("[CN8] works in a listener that is notified of a drop while the parts are still being notified", async () => {
    const { client, world } = testClient();
    const updates = client.channel("agent-updates");
    updates.on("removed", () => undefined);
    await settle();
    onChange(updates.status, ({ name }) => name === "pending" && client.disconnect());
    world.sockets.last.end();
    expect(client.status.get().name).toBe("closed");
    await expect(client.request("agents.list")).rejects.toMatchObject({ code: "NOT_CONNECTED" });
  });

  test("[CN9] connect() works again afterwards and joins the wanted channels again", async () => {
    const { client, world } = testClient();
    const updates = client.channel("agent-updates");
    updates.on("removed", () => undefined);
    await settle();
    client.disconnect();
    expect(updates.status.get().name).toBe("pending");
    client.connect();
    await settle();
    expect(client.status.get().name).toBe("ready");
    expect(updates.status.get().name).toBe("subscribed");
    expect(world.sockets.attempts).toHaveLength(2);
  });

  test("the error of a pending call contains the reason of the close", async () => {
    const { client } = testClient(refuses(4403, "suspended"));
    const pending = client.request("agents.list");
    await expect(pending).rejects.toThrow(HoldfastError);
    await expect(pending).rejects.toMatchObject({
      code: "NOT_CONNECTED",
      message: expect.stringContaining("suspended"),
    });
  });
});
