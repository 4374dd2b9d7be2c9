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

  test("[CH7] A refused channel says so, and the others are joined all the same", async () => {
    const { client } = testClient(answers({ subscribe: refuseBoards }));
    const [board, updates] = [client.channel("board", "b1"), client.channel("agent-updates")];
    board.on("moved", ignore);
    updates.on("removed", ignore);
    await settle();
    expect(board.status.get()).toMatchObject({ name: "refused", error: { code: "FORBIDDEN", message: "Not yours." } });
    expect(updates.status.get().name).toBe("subscribed");
  });

  test("[CH7] join() rejects with the refusal, also when it came earlier", async () => {
    const { client } = testClient(answers({ subscribe: refuseBoards }));
    const board = client.channel("board", "b1");
    await expect(board.join()).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(board.join()).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(vi.getTimerCount()).toBe(1);
  });

  test("[CH13] Leaving and joining again asks again", async () => {
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

  test("[CH13] Also where another handle stays: it is told what comes of it, and goes on; a handle that only joins asks nothing", async () => {
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

  test("[CH13] Also by whoever is told of the refusal first: the others are not told of it behind that, and wait through an outage", async () => {
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

  test("[CH19] A channel that the server takes away says why, keeps its handlers, and is asked for again after a reconnect", async () => {
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
    // The server knows it, and need not be told.
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

  test("[CH19] One that was left or is being joined again is not concerned", async () => {
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

  test("[CH7] A refused channel is asked for again after a reconnect, and leaving it sends nothing", async () => {
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

  test("[CH7] An error message that names a subscribe refuses its channels", async () => {
    const { client, world } = testClient(silent(), { token: undefined });
    const joining = client.channel("board", "b1").join();
    const outcome = failure(joining);
    await settle();
    const { correlation_id } = world.sockets.last.of("subscribe")[0]!;
    world.sockets.last.receive({ type: "error", correlation_id, data: { code: "RATE_LIMITED", message: "Too fast." } });
    expect(await outcome).toMatchObject({ code: "RATE_LIMITED" });
    expect(world.errors).toEqual([]);
  });

  test("[CH15] Unknown channels, wrong keys and unknown events are refused where they are named", () => {
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
