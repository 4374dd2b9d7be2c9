import { defineProtocol } from "@holdfast/protocol";
import { createServer } from "@holdfast/server";
import { describe, expect, test } from "vitest";
import { auth, authenticate, identityServer, sessionOf, stayConnected } from "./support/identity-server.js";
import { type Peer, ServerHarness } from "./support/server-harness.js";
import { VirtualEnvironment } from "./support/virtual-environment.js";

const heard = (peer: Peer): unknown[] => peer.of("event").map(({ data }) => data);

/** Answers the newest event that requests an acknowledgement. */
async function acknowledge(peer: Peer, failure?: string): Promise<void> {
  const asking = peer.of("event").findLast(({ metadata }) => metadata?.ack);
  await peer.send({ type: "ack", data: { id: asking?.metadata?.id ?? "", failure } });
}

describe("a user's devices", () => {
  test("[DV1] the device id comes from the credential, else from the client, else it is the session id", async () => {
    const { server, connect } = identityServer();
    const [named, claimed, tab] = [
      await connect("u1@phone", { device_id: "ignored" }),
      await connect("u1", { device_id: "tablet" }),
      await connect("u1"),
    ];
    expect([named, claimed, tab].map((peer) => peer.last("connected").data.device_id)).toEqual([
      "phone",
      "tablet",
      sessionOf(tab),
    ]);
    const devices = await server.user("u1").devices();
    expect(devices.map(({ id }) => id)).toEqual(["phone", "tablet", sessionOf(tab)]);
    expect(devices[1]).toEqual({
      id: "tablet",
      sessionId: sessionOf(claimed),
      connectedAt: expect.any(Date),
      lastActiveAt: expect.any(Date),
    });
  });

  test("[DV11] a device is listed while it is connected; if it disconnects, the others stay", async () => {
    const { server, connect } = identityServer();
    expect(await server.user("u1").isConnected()).toBe(false);
    const phone = await connect("u1@phone");
    const tablet = await connect("u1@tablet");
    expect(await server.user("u1").isConnected("phone")).toBe(true);
    expect(await server.user("u1").isConnected("watch")).toBe(false);
    phone.socket.drop();
    expect(await server.user("u1").isConnected("phone")).toBe(false);
    expect(await server.user("u1").isConnected()).toBe(true);
    expect((await server.user("u1").devices()).map(({ id }) => id)).toEqual(["tablet"]);
    expect(tablet.closed).toBeUndefined();
  });

  test("[DV2] a second connection of a device replaces the first, which is closed with 4409", async () => {
    const { server, harness, connect } = identityServer();
    const first = await connect("u1@phone");
    const other = await connect("u2@phone");
    const second = await connect("u1@phone");
    expect(first.closed?.code).toBe(4409);
    expect(other.closed).toBeUndefined();
    expect(second.closed).toBeUndefined();
    expect(server.session(sessionOf(first)).get()).toBeUndefined();
    await server.user("u1").send("hello", "phone");
    await harness.settle();
    expect([first, second].map(heard)).toEqual([[], ["phone"]]);
  });

  test("[DV2] if two connections of a device authenticate at the same time, the connection that finishes later stays", async () => {
    const answers: (() => void)[] = [];
    const { server, harness } = identityServer({
      authenticate: () =>
        new Promise<{ userId: string; deviceId: string }>((resolve) =>
          answers.push(() => resolve({ userId: "u1", deviceId: "phone" })),
        ),
    });
    const [a, b] = [await harness.connect(), await harness.connect()];
    await a.send(auth("t"));
    await b.send(auth("t"));
    answers[1]!();
    answers[0]!();
    await harness.settle();
    expect(a.closed).toBeUndefined();
    expect(b.closed?.code).toBe(4409);
    expect(server.sessions().map(({ id }) => id)).toEqual([sessionOf(a)]);
  });

  test("[DV16] a hundred connections of one device, each replacing the previous one, leave no state behind", async () => {
    const { server, harness, environment, connect } = identityServer();
    let peer = await connect("u1@phone");
    for (let count = 0; count < 100; count++) peer = await connect("u1@phone");
    expect(server.stats()).toMatchObject({
      connections: { active: 1 },
      sessions: { active: 1, away: 0 },
      users: { active: 1 },
      channels: { active: 0 },
    });
    expect(harness.transport.size).toBe(1);
    expect((await server.broadcast("hello", "all")).delivered).toBe(1);
    peer.socket.drop();
    await harness.advance(121_000);
    expect(server.stats()).toMatchObject({ connections: { active: 0 }, sessions: { active: 0 }, users: { active: 0 } });
    expect(environment.timers).toBe(0);
  });
});

describe("user.send without ack", () => {
  test("[DV3] reaches all devices of the user and returns the device ids", async () => {
    const { server, harness, connect } = identityServer();
    const [phone, tablet, other] = [await connect("u1@phone"), await connect("u1@tablet"), await connect("u2@tv")];
    expect(await server.user("u1").send("playback.paused", { at: 12 })).toEqual({
      delivered: ["phone", "tablet"],
      failed: [],
    });
    await harness.settle();
    expect([phone, tablet, other].map(heard)).toEqual([[{ at: 12 }], [{ at: 12 }], []]);
    expect(phone.last("event")).toEqual({
      type: "event",
      channel: "$user",
      event: "playback.paused",
      data: { at: 12 },
    });
    expect(await server.user("nobody").send("hello", "?")).toEqual({ delivered: [], failed: [] });
    expect(server.stats().published).toEqual({ total: 2, delivered: 2 });
  });

  test("[DV4] exceptDevice leaves out one device, usually the one that caused the event", async () => {
    const { server, harness, connect } = identityServer();
    const [phone, tablet] = [await connect("u1@phone"), await connect("u1@tablet")];
    const report = await server.user("u1").send("hello", "others", { exceptDevice: "phone" });
    await harness.settle();
    expect(report).toEqual({ delivered: ["tablet"], failed: [] });
    expect([phone, tablet].map(heard)).toEqual([[], ["others"]]);
  });

  test("[DV5] onlyDevice reaches one device; if the device is not connected, the result reports the device as failed", async () => {
    const { server, harness, connect } = identityServer();
    const [phone, tablet] = [await connect("u1@phone"), await connect("u1@tablet")];
    const report = await server.user("u1").send("hello", "tablet", { onlyDevice: "tablet" });
    await harness.settle();
    expect(report).toEqual({ delivered: ["tablet"], failed: [] });
    expect([phone, tablet].map(heard)).toEqual([[], ["tablet"]]);
    tablet.socket.drop();
    for (const ack of [false, true])
      expect(await server.user("u1").send("hello", "gone", { onlyDevice: "tablet", ack })).toEqual({
        delivered: [],
        failed: [{ deviceId: "tablet", reason: "not_connected" }],
      });
  });

  test("[DV5] a device that waits to be resumed is reported as failed, because the device misses the event", async () => {
    const { server, harness, connect } = identityServer();
    const phone = await connect("u1@phone");
    (await connect("u1@tablet")).socket.drop();
    const report = { delivered: ["phone"], failed: [{ deviceId: "tablet", reason: "not_connected" }] };
    expect(await server.user("u1").send("hello", "both")).toEqual(report);
    await stayConnected(harness, 121_000, phone);
    expect((await server.user("u1").send("hello", "both")).failed).toEqual([]);
  });

  test("[DV15] data that does not match the schema rejects with the field, and nothing is sent", async () => {
    const { server, harness, connect } = identityServer();
    const phone = await connect("u1@phone");
    const user = server.user("u1");
    await expect(user.send("playback.paused", { at: "now" as never })).rejects.toMatchObject({
      code: "INVALID_VALUE",
      field: "data.at",
    });
    await expect(user.send("nothing" as never, 1 as never)).rejects.toMatchObject({ field: "event" });
    await harness.settle();
    expect(heard(phone)).toEqual([]);
  });

  test.each([
    [{ exceptDevices: "phone" }, "exceptDevices"],
    [{ exceptDevice: null }, "exceptDevice"],
    [{ exceptDevice: ["phone"] }, "exceptDevice"],
    [{ onlyDevice: 7 }, "onlyDevice"],
    [{ ack: true, timeoutMs: Number.NaN }, "timeoutMs"],
    [null, "options"],
    ["phone", "options"],
    [["phone"], "options"],
    [new Map([["exceptDevice", "phone"]]), "options"],
    [Promise.resolve({ exceptDevice: "phone" }), "options"],
  ])("[DV17] send with the options %j rejects with the field %s, and nothing is sent", async (options, field) => {
    const { server, harness, connect } = identityServer();
    const phone = await connect("u1@phone");
    const refusal = { code: "INVALID_OPTION", field };
    await expect(server.user("u1").send("hello", "x", options as object)).rejects.toMatchObject(refusal);
    const session = server.session(sessionOf(phone));
    await expect(session.send("hello", "x", options as object)).rejects.toMatchObject(refusal);
    await harness.settle();
    expect(heard(phone)).toEqual([]);
  });
});

describe("user.send with ack", () => {
  /** Two devices of one user, and a send that waits for both. */
  async function waiting(timeoutMs?: number) {
    const player = identityServer();
    const [phone, tablet] = [await player.connect("u1@phone"), await player.connect("u1@tablet")];
    let report: unknown;
    const options = timeoutMs === undefined ? { ack: true } : { ack: true, timeoutMs };
    void player.server
      .user("u1")
      .send("hello", "?", options)
      .then((settled) => (report = settled));
    await player.harness.settle();
    return { ...player, phone, tablet, report: () => report };
  }

  test("[DV7] a device counts as delivered when its handlers have finished", async () => {
    const { harness, environment, phone, tablet, report } = await waiting();
    expect(phone.last("event").metadata).toEqual({ ack: true, id: expect.any(String) });
    // Both devices receive the same bytes.
    expect(tablet.last("event")).toEqual(phone.last("event"));
    await acknowledge(phone);
    expect(report()).toBeUndefined();
    const timers = environment.timers;
    await acknowledge(tablet);
    expect(report()).toEqual({ delivered: ["phone", "tablet"], failed: [] });
    expect(environment.timers).toBe(timers - 1);
    phone.socket.drop();
    tablet.socket.drop();
    await harness.advance(121_000);
    expect(environment.timers).toBe(0);
  });

  test("[DV8] a device that does not acknowledge in time is reported with `timeout`, the others as delivered", async () => {
    const { harness, phone, report } = await waiting();
    await acknowledge(phone);
    await harness.advance(9_999);
    expect(report()).toBeUndefined();
    await harness.advance(2);
    expect(report()).toEqual({ delivered: ["phone"], failed: [{ deviceId: "tablet", reason: "timeout" }] });
  });

  test("[DV8] devices that do not acknowledge within `timeoutMs` are reported with `timeout`", async () => {
    const { harness, report } = await waiting(500);
    await harness.advance(501);
    expect(report()).toMatchObject({ delivered: [], failed: [{ reason: "timeout" }, { reason: "timeout" }] });
  });

  test.each(["not_handled", "invalid", "handler_failed"])(
    "[DV8] a device that acknowledges with the failure %s is reported with that reason",
    async (reason) => {
      const { phone, tablet, report } = await waiting();
      await acknowledge(phone);
      await acknowledge(tablet, reason);
      expect(report()).toEqual({ delivered: ["phone"], failed: [{ deviceId: "tablet", reason }] });
    },
  );

  test("[DV9] a device that disconnects before its acknowledgement is reported as failed at once", async () => {
    const { phone, tablet, report, harness } = await waiting();
    await acknowledge(phone);
    tablet.socket.drop();
    await harness.settle();
    expect(report()).toEqual({ delivered: ["phone"], failed: [{ deviceId: "tablet", reason: "disconnected" }] });
  });

  test("[DV9] a device that is replaced or resumed before its acknowledgement is reported as failed, because its newer connection never received the event", async () => {
    const { phone, tablet, report, connect } = await waiting();
    const newer = await connect("u1@phone");
    const resumed = await connect("u1@tablet", { session_id: sessionOf(tablet) });
    expect(phone.closed?.code).toBe(4409);
    expect(tablet.closed?.code).toBe(4409);
    expect(report()).toEqual({
      delivered: [],
      failed: [
        { deviceId: "phone", reason: "disconnected" },
        { deviceId: "tablet", reason: "disconnected" },
      ],
    });
    expect([newer, resumed].flatMap(heard)).toEqual([]);
  });

  test("[DV9] a device that is closed because it reads too slowly is reported as failed at once", async () => {
    const { server, connect, environment } = identityServer({ limits: { owedBytes: 4_096 } });
    await connect("u1@phone");
    const slow = await connect("u1@tablet");
    slow.socket.stall(true);
    const user = server.user("u1");
    // All in one turn, before the socket reports a full buffer.
    const reports = await Promise.all(
      [1, 2, 3].map((number) =>
        user.send("hello", String(number).repeat(2_000), { onlyDevice: "tablet", ack: number !== 2 }),
      ),
    );
    expect(reports.map(({ delivered }) => delivered)).toEqual([[], [], []]);
    expect(reports.map(({ failed }) => failed[0]?.reason)).toEqual(["disconnected", "disconnected", "not_connected"]);
    expect(environment.timers).toBeLessThan(5);
  });

  test("[DV10] only the first acknowledgement of the device itself counts", async () => {
    const { phone, tablet, report, connect } = await waiting();
    const id = phone.last("event").metadata?.id ?? "";
    const stranger = await connect("u2@phone");
    await stranger.send({ type: "ack", data: { id } });
    await phone.send(
      { type: "ack", data: { id: "invented" } },
      { type: "ack", data: { id, failure: "handler_failed" } },
      { type: "ack", data: { id } },
    );
    expect(report()).toBeUndefined();
    await acknowledge(tablet);
    expect(report()).toEqual({ delivered: ["tablet"], failed: [{ deviceId: "phone", reason: "handler_failed" }] });
    for (const peer of [phone, tablet, stranger]) expect(peer.closed).toBeUndefined();
  });

  test("[DV7] if the user has no connected device, `send` resolves at once and leaves no timer", async () => {
    const { server, environment } = identityServer();
    expect(await server.user("u1").send("hello", "?", { ack: true })).toEqual({ delivered: [], failed: [] });
    expect(environment.timers).toBe(0);
  });
});

describe("more devices than a user may have", () => {
  test("[DV12] one more device is refused with LIMIT_EXCEEDED and closed with 4429 and a retry delay", async () => {
    const { server, connect } = identityServer({ devices: { perUser: 2 } });
    const [a, b, c] = [await connect("u1@a"), await connect("u1@b"), await connect("u1@c")];
    expect(c.last("auth_response").data).toMatchObject({
      success: false,
      error: { code: "LIMIT_EXCEEDED", message: expect.stringMatching(/\b2\b/) },
    });
    expect(c.closed).toEqual({ code: 4429, reason: '{"retryAfterMs":30000}' });
    expect([a.closed, b.closed]).toEqual([undefined, undefined]);
    // A device that is already connected may connect again, and other users may connect.
    expect((await connect("u1@a")).closed).toBeUndefined();
    expect((await connect("u2@c")).closed).toBeUndefined();
    expect(server.stats().sessions.active).toBe(3);
  });

  test("[DV12] if the upgrade request carried the credential, the refusal is an error message, because there is no auth to answer", async () => {
    const { harness, connect } = identityServer({ devices: { perUser: 1 } });
    await connect("u1@a");
    const peer = await harness.connect({ headers: { authorization: "Bearer u1@b" } });
    expect(peer.received).toMatchObject([{ type: "error", data: { code: "LIMIT_EXCEEDED" } }]);
    expect(peer.closed?.code).toBe(4429);
  });

  test("[DV13] with `replace_oldest`, a new device replaces the device that has been silent longest", async () => {
    const { server, harness, connect } = identityServer({ devices: { perUser: 2, whenFull: "replace_oldest" } });
    const ends: string[] = [];
    server.onSession((event) => event.type === "ended" && ends.push(`${event.session.deviceId} ${event.reason}`));
    const a = await connect("u1@a");
    const b = await connect("u1@b");
    await harness.advance(5_000);
    await a.send({ type: "pong" });
    const c = await connect("u1@c");
    expect(b.closed?.code).toBe(4409);
    expect([a.closed, c.closed]).toEqual([undefined, undefined]);
    expect((await server.user("u1").devices()).map(({ id }) => id)).toEqual(["a", "c"]);
    expect(ends).toEqual(["b evicted"]);
  });

  test("[DV13] a device that only waits to be resumed is replaced, even with the default policy", async () => {
    const { server, connect } = identityServer({ devices: { perUser: 2 } });
    const a = await connect("u1@a");
    const b = await connect("u1@b");
    b.socket.drop();
    const c = await connect("u1@c");
    expect([a.closed, c.closed]).toEqual([undefined, undefined]);
    expect(server.stats().sessions).toEqual({ active: 2, away: 0 });
  });
});

describe("a protocol that requires a device id", () => {
  const protocol = defineProtocol({ name: "strict", version: "1.0.0", requests: { ping: {} }, deviceId: "required" });
  const create = () => {
    const environment = new VirtualEnvironment();
    const server = createServer(protocol, { authenticate, environment });
    return { server, harness: new ServerHarness(server, environment) };
  };

  test("[DV14] auth without a device id is answered with BAD_MESSAGE and closed with 4400", async () => {
    const { harness } = create();
    const peer = await harness.connect();
    await peer.send(auth("u1"));
    expect(peer.last("auth_response").data).toMatchObject({
      success: false,
      error: { code: "BAD_MESSAGE", field: "data.device_id", remedy: expect.stringContaining("deviceId") },
    });
    expect(peer.closed?.code).toBe(4400);
  });

  test("[DV14] the device id may come from the client or from authenticate", async () => {
    const { server, harness } = create();
    const [said, known] = [await harness.connect(), await harness.connect()];
    await said.send(auth("u1", { device_id: "phone" }));
    await known.send(auth("u1@tablet"));
    expect(server.sessions().map(({ deviceId }) => deviceId)).toEqual(["phone", "tablet"]);
  });

  test("[DV14] an upgrade request that cannot name a device is refused with HTTP 400", async () => {
    const { harness } = create();
    expect(await harness.refused({ headers: { authorization: "Bearer u1" } })).toBe(400);
    const peer = await harness.connect({ headers: { authorization: "Bearer u1@phone" } });
    expect(peer.last("connected").data.device_id).toBe("phone");
  });
});
