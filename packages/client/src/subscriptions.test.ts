import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod/mini";
import { describe, expect, test, vi } from "vitest";
import { onChange } from "../test/support/changes.js";
import { answers, grant, silent } from "../test/support/behaviours.js";
import { failure, pass, settle, testClient, testClientOf, withFakeTime } from "../test/support/test-client.js";
import { ignore, traffic } from "../test/support/traffic.js";

withFakeTime();

describe("Joining and leaving channels", () => {
  test("[CH1] creating a handle sends nothing; the first listener of the handle joins the channel", async () => {
    const { client, world } = testClient();
    await settle();
    const board = client.channel("board", "b1");
    await settle();
    expect(traffic(world)).toEqual([]);
    expect(board.status.get()).toEqual({ name: "idle" });
    board.on("moved", ignore);
    expect(board.status.get()).toEqual({ name: "pending" });
    await settle();
    expect(traffic(world)).toEqual(["+board:b1"]);
    expect(board.status.get()).toEqual({ name: "subscribed" });
  });

  test("[CH24] a handle has the protocol's name, the key and the wire id", () => {
    const { client } = testClient();
    const board = client.channel("board", "b1:2");
    expect([board.name, board.key, board.id]).toEqual(["board", "b1:2", "board:b1:2"]);
    const updates = client.channel("agent-updates");
    expect([updates.name, updates.key, updates.id]).toEqual(["agent-updates", undefined, "agent-updates"]);
  });

  test("[CH24] the key is the output of the key's schema, so the handles of one channel have the same key", () => {
    const rooms = defineProtocol({
      name: "rooms",
      version: "1.0.0",
      channels: {
        room: { key: z.string().check(z.trim(), z.toLowerCase()), events: { said: z.string() } },
      },
    });
    const { client } = testClientOf(rooms, answers());
    const [given, same] = [client.channel("room", " R1 "), client.channel("room", "r1")];
    expect([given.key, given.id]).toEqual(["r1", "room:r1"]);
    expect([same.key, same.id]).toEqual(["r1", "room:r1"]);
  });

  test("[CH1] channels joined in one turn share one subscribe", async () => {
    const { client, world } = testClient();
    await settle();
    for (const key of ["1", "2", "3"]) client.channel("board", key).on("moved", ignore);
    await settle();
    expect(traffic(world)).toEqual(["+board:1 +board:2 +board:3"]);
  });

  test("[CH14] more than a hundred channels are split into several messages, each far below the server's limit", async () => {
    const { client, world } = testClient();
    await settle();
    for (let key = 0; key < 250; key++) client.channel("board", String(key)).on("moved", ignore);
    await settle();
    expect(world.sockets.last.of("subscribe").map(({ data }) => data.channels.length)).toEqual([100, 100, 50]);
  });

  test("[CH2] leaving and joining again in one turn sends nothing", async () => {
    const { client, world } = testClient();
    const board = client.channel("board", "b1");
    const off = board.on("moved", ignore);
    await settle();
    off();
    board.on("moved", ignore);
    board.leave();
    client.channel("board", "b1").on("moved", ignore);
    await settle();
    expect(traffic(world)).toEqual(["+board:b1"]);
  });

  test("[CH2] joining and leaving in one turn sends nothing", async () => {
    const { client, world } = testClient();
    await settle();
    client.channel("board", "b1").on("moved", ignore)();
    await settle();
    expect(traffic(world)).toEqual([]);
  });

  test("[CH3] a channel is left when the last handle stops wanting the channel", async () => {
    const { client, world } = testClient();
    const [first, second] = [client.channel("board", "b1"), client.channel("board", "b1")];
    const offs = [first.on("moved", ignore), first.onReset(ignore), second.on("moved", ignore)];
    await settle();
    offs[0]!();
    offs[2]!();
    await settle();
    expect(traffic(world)).toEqual(["+board:b1"]);
    offs[1]!();
    await settle();
    expect(traffic(world)).toEqual(["+board:b1", "-board:b1"]);
    expect(first.status.get().name).toBe("idle");
    client.channel("agent-updates").on("removed", ignore);
    await settle();
    expect(traffic(world)).toEqual(["+board:b1", "-board:b1", "+agent-updates"]);
  });

  test("[CH17] calling an unsubscribe function twice removes one listener", async () => {
    const { client, world } = testClient();
    const board = client.channel("board", "b1");
    const off = board.on("moved", ignore);
    board.on("moved", ignore);
    await settle();
    off();
    off();
    await settle();
    expect(traffic(world)).toEqual(["+board:b1"]);
  });

  test("[CH12] an unsubscribe does not overtake an earlier subscribe, because the client waits for the answer", async () => {
    const { client, world } = testClient(silent(), { token: undefined });
    const off = client.channel("board", "b1").on("moved", ignore);
    await settle();
    off();
    await settle();
    expect(traffic(world)).toEqual(["+board:b1"]);
    grant(world.sockets.last, world.sockets.last.of("subscribe")[0]!);
    await settle();
    expect(traffic(world)).toEqual(["+board:b1", "-board:b1"]);
  });

  test("[CH12] only the answer to the last subscribe counts", async () => {
    const { client, world } = testClient(silent(), { token: undefined });
    const board = client.channel("board", "b1");
    board.on("moved", ignore);
    await settle();
    const asked = world.sockets.last.of("subscribe")[0]!;
    grant(world.sockets.last, { ...asked, correlation_id: "another" });
    expect(board.status.get().name).toBe("pending");
    grant(world.sockets.last, asked);
    grant(world.sockets.last, asked, () => ({ ok: false, error: { code: "FORBIDDEN", message: "No." } }));
    expect(board.status.get().name).toBe("subscribed");
  });

  test("[CH12] a channel that is wanted again while the answer is pending is joined once", async () => {
    const { client, world } = testClient(silent(), { token: undefined });
    const board = client.channel("board", "b1");
    board.on("moved", ignore)();
    board.on("moved", ignore);
    await settle();
    board.leave();
    await settle();
    board.on("moved", ignore);
    grant(world.sockets.last, world.sockets.last.of("subscribe")[0]!);
    await settle();
    expect(traffic(world)).toEqual(["+board:b1"]);
    expect(board.status.get().name).toBe("subscribed");
  });

  test("[CH9] after a reconnect all wanted channels are joined again, but not channels that were left meanwhile", async () => {
    const { client, world } = testClient();
    const [kept, left] = [client.channel("board", "kept"), client.channel("board", "left")];
    const statuses: string[] = [];
    onChange(kept.status, ({ name }) => statuses.push(name));
    kept.on("moved", ignore);
    left.on("moved", ignore);
    await settle();
    world.sockets.last.end();
    left.leave();
    client.channel("board", "new").on("moved", ignore);
    await pass(5_000);
    expect(traffic(world)).toEqual(["+board:kept +board:new"]);
    expect(statuses).toEqual(["pending", "subscribed", "pending", "subscribed"]);
  });
});

describe("join()", () => {
  test("[CH8] joins the channel, resolves when the channel is subscribed, and keeps the channel wanted until leave()", async () => {
    const { client, world } = testClient();
    const board = client.channel("board", "b1");
    await board.join();
    await board.join();
    expect(board.status.get().name).toBe("subscribed");
    board.on("moved", ignore)();
    await settle();
    expect(traffic(world)).toEqual(["+board:b1"]);
    board.leave();
    await settle();
    expect(traffic(world)).toEqual(["+board:b1", "-board:b1"]);
  });

  test("[CH8] rejects on timeout and abort, without leaving timers", async () => {
    const { client } = testClient(silent());
    const board = client.channel("board", "b1");
    const controller = new AbortController();
    const outcomes = [
      failure(board.join({ timeoutMs: 50 })),
      failure(board.join({ signal: controller.signal })),
      failure(board.join({ signal: AbortSignal.abort() })),
      failure(client.channel("board", "b2").join()),
    ];
    await pass(50);
    controller.abort("enough");
    await pass(30_000);
    expect(await Promise.all(outcomes)).toMatchObject([
      { code: "TIMEOUT" },
      { code: "CANCELLED", cause: "enough" },
      { code: "CANCELLED" },
      { code: "TIMEOUT" },
    ]);
  });

  test("[CH8] rejects with NOT_CONNECTED if the client will not connect, at once or when the client stops", async () => {
    const { client } = testClient(silent());
    const board = client.channel("board", "b1");
    const outcome = failure(board.join());
    await settle();
    client.disconnect();
    expect(await outcome).toMatchObject({ code: "NOT_CONNECTED" });
    await expect(board.join()).rejects.toMatchObject({ code: "NOT_CONNECTED" });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("[CH8] rejects if a status listener calls leave() before join() has returned", async () => {
    const { client } = testClient();
    const board = client.channel("board", "b1");
    onChange(board.status, ({ name }) => name === "pending" && board.leave());
    expect(await failure(board.join())).toMatchObject({ code: "CANCELLED" });
  });

  test("[CH8] rejects when leave() is called", async () => {
    const { client } = testClient(silent());
    const board = client.channel("board", "b1");
    const outcome = failure(board.join());
    board.leave();
    expect(await outcome).toMatchObject({ code: "CANCELLED" });
  });
});
