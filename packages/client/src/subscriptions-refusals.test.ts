import { type ServerMessage } from "@holdfast/protocol";
import { describe, expect, test, vi } from "vitest";
import { onChange } from "../test/support/changes.js";
import { answers, grant, silent } from "../test/support/behaviours.js";
import { failure, pass, settle, testClient, withFakeTime } from "../test/support/test-client.js";
import { ignore, event, traffic } from "../test/support/traffic.js";

withFakeTime();

describe("Refusals", () => {
  const refusal = { code: "FORBIDDEN", message: "Not yours." };
  const refuseBoards = (channel: string): object => (channel.startsWith("board") ? { ok: false, error: refusal } : {});

  test("[CH7] a refused channel has the status refused, and the other channels are joined", async () => {
    const { client } = testClient(answers({ subscribe: refuseBoards }));
    const [board, updates] = [client.channel("board", "b1"), client.channel("agent-updates")];
    board.on("moved", ignore);
    updates.on("removed", ignore);
    await settle();
    expect(board.status.get()).toMatchObject({ name: "refused", error: { code: "FORBIDDEN", message: "Not yours." } });
    expect(updates.status.get().name).toBe("subscribed");
  });

  test("[CH7] join() rejects with the refusal, even if the channel was refused earlier", async () => {
    const { client } = testClient(answers({ subscribe: refuseBoards }));
    const board = client.channel("board", "b1");
    await expect(board.join()).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(board.join()).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(vi.getTimerCount()).toBe(1);
  });

  test("[CH13] leaving and joining again subscribes again", async () => {
    let allowed = false;
    const { client, world } = testClient(answers({ subscribe: (channel) => (allowed ? {} : refuseBoards(channel)) }));
    const board = client.channel("board", "b1");
    board.on("moved", ignore);
    await settle();
    allowed = true;
    board.leave();
    board.on("moved", ignore);
    await settle();
    expect(board.status.get().name).toBe("subscribed");
    expect(traffic(world)).toEqual(["+board:b1", "+board:b1"]);
  });

  test("[CH13] if one handle leaves and joins, a handle that stayed receives the new status; a handle that only joins sends nothing", async () => {
    let allowed = false;
    const { client, world } = testClient(answers({ subscribe: (channel) => (allowed ? {} : refuseBoards(channel)) }));
    const [board, other, third] = [1, 2, 3].map(() => client.channel("board", "b1"));
    board!.on("moved", ignore);
    const statuses: string[] = [];
    onChange(other!.status, ({ name }) => statuses.push(name));
    other!.on("moved", ignore);
    await settle();
    allowed = true;
    third!.on("moved", ignore);
    await settle();
    expect(third!.status.get().name).toBe("refused");
    expect(traffic(world)).toEqual(["+board:b1"]);
    board!.leave();
    await settle();
    board!.on("moved", ignore);
    await settle();
    expect([board, other, third].map((one) => one!.status.get().name)).toEqual(Array(3).fill("subscribed"));
    expect(statuses).toEqual(["pending", "refused", "pending", "subscribed"]);
    expect(traffic(world)).toEqual(["+board:b1", "+board:b1"]);
  });

  test("[CH13] if the first notified handle leaves and joins in the notification, other handles do not receive the old refusal, and stay pending across a drop", async () => {
    let asked = 0;
    const { client, world } = testClient(
      answers({
        subscribe: (channel) => {
          if (++asked === 1) return refuseBoards(channel);
          if (asked === 2) world.sockets.last.end(1006);
          return {};
        },
      }),
    );
    const [board, other] = [1, 2].map(() => client.channel("board", "b1"));
    const statuses: string[] = [];
    onChange(board!.status, ({ name }) => {
      if (name !== "refused" || asked > 1) return;
      board!.leave();
      board!.on("moved", ignore);
    });
    onChange(other!.status, ({ name }) => statuses.push(name));
    board!.on("moved", ignore);
    other!.on("moved", ignore);
    await settle();
    expect([board, other].map((one) => one!.status.get().name)).toEqual(["pending", "pending"]);
    const joining = other!.join();
    await pass(5_000);
    await joining;
    expect(statuses).toEqual(["pending", "subscribed"]);
  });

  const taken: ServerMessage = { type: "unsubscribed", channel: "board:b1", data: refusal };

  test("[CH19] a channel that the server takes away is refused with the reason, keeps its handlers, and is joined again after a reconnect", async () => {
    const { client, world } = testClient();
    const heard: number[] = [];
    const board = client.channel("board", "b1");
    board.on("moved", (step) => heard.push(step));
    await settle();
    world.sockets.last.receive(taken);
    expect(board.status.get()).toMatchObject({ name: "refused", error: { code: "FORBIDDEN", message: "Not yours." } });
    await expect(board.join()).rejects.toMatchObject({ code: "FORBIDDEN" });
    board.leave();
    await settle();
    // The server has removed the session, so no unsubscribe is needed.
    expect(traffic(world)).toEqual(["+board:b1"]);
    board.on("moved", (step) => heard.push(step));
    await settle();
    world.sockets.last.receive(taken);
    world.sockets.last.end();
    await pass(5_000);
    expect(board.status.get().name).toBe("subscribed");
    world.sockets.last.receive(event("board:b1", "moved", 4));
    expect(heard).toEqual([4]);
  });

  test("[CH19] if a channel was left or is joining again, the client ignores the removal", async () => {
    const { client, world } = testClient(silent());
    const board = client.channel("board", "b1");
    board.on("moved", ignore);
    await settle();
    world.sockets.last.receive(taken);
    world.sockets.last.receive({ ...taken, channel: "board:b2" });
    expect(board.status.get().name).toBe("pending");
    grant(world.sockets.last, world.sockets.last.of("subscribe")[0]!);
    expect(board.status.get().name).toBe("subscribed");
    expect(world.errors).toEqual([]);
  });

  test("[CH7] a refused channel is joined again after a reconnect; leaving a refused channel sends nothing", async () => {
    const { client, world } = testClient(answers({ subscribe: refuseBoards }));
    const board = client.channel("board", "b1");
    board.on("moved", ignore);
    await settle();
    world.sockets.last.end();
    await pass(5_000);
    expect(traffic(world)).toEqual(["+board:b1"]);
    board.leave();
    await settle();
    expect(traffic(world)).toEqual(["+board:b1"]);
  });

  test("[CH7] if an error message names a subscribe, the channels of the subscribe are refused", async () => {
    const { client, world } = testClient(silent(), { token: undefined });
    const joining = client.channel("board", "b1").join();
    const outcome = failure(joining);
    await settle();
    const { correlation_id } = world.sockets.last.of("subscribe")[0]!;
    world.sockets.last.receive({ type: "error", correlation_id, data: { code: "RATE_LIMITED", message: "Too fast." } });
    expect(await outcome).toMatchObject({ code: "RATE_LIMITED" });
    expect(world.errors).toEqual([]);
  });

  test("[CH15] unknown channels, wrong keys and unknown events throw at the call", () => {
    const { client } = testClient();
    expect(() => client.channel("constructor" as "agent-updates")).toThrow(
      expect.objectContaining({ code: "UNKNOWN_CHANNEL" }),
    );
    expect(() => client.channel("board", "")).toThrow(expect.objectContaining({ code: "UNKNOWN_CHANNEL" }));
    expect(() => client.channel("agent-updates", ...(["k"] as unknown as []))).toThrow(
      expect.objectContaining({ code: "UNKNOWN_CHANNEL" }),
    );
    expect(() => client.channel("agent-updates").on("moved" as never, ignore)).toThrow(
      expect.objectContaining({ code: "INVALID_VALUE", field: "event" }),
    );
  });
});
