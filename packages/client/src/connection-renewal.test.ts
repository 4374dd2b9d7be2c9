import type { ServerMessage } from "@holdfast/protocol";
import { expect, test, vi } from "vitest";
import { answers } from "../test/support/behaviours.js";
import { failure, settle, testClient, withFakeTime } from "../test/support/test-client.js";
import type { Logger } from "./options.js";

withFakeTime();

const expiring: ServerMessage = { type: "auth_expiring", data: { expires_at: 30_000 } };

/** A token function whose calls the test answers. */
function tokens() {
  const asked: { give(token: string | null): void; fail(error: Error): void }[] = [];
  const token = (): Promise<string | null> =>
    new Promise((resolve, reject) => asked.push({ give: resolve, fail: reject }));
  return { asked, token };
}

/** A ready client whose token function the test answers. */
async function ready(logger?: Logger) {
  const { asked, token } = tokens();
  const { client, world } = testClient(answers(), { token, deviceId: "kitchen", ...(logger && { logger }) });
  await settle();
  asked[0]!.give("first");
  await settle();
  expect(client.status.get().name).toBe("ready");
  const expire = async (): Promise<void> => {
    world.sockets.last.receive(expiring);
    await settle();
  };
  const sent = () => world.sockets.last.of("auth").map(({ data }) => data);
  return { client, world, asked, expire, sent };
}

test("[RC20] a credential that is about to expire is renewed on the live connection, including the device", async () => {
  const { client, world, asked, expire, sent } = await ready();
  const before = client.status.get();
  await expire();
  asked[1]!.give("second");
  await settle();
  expect(sent()).toEqual([
    { token: "first", device_id: "kitchen" },
    { token: "second", device_id: "kitchen" },
  ]);
  expect(client.status.get()).toBe(before);
  await expire();
  asked[2]!.give("third");
  await settle();
  expect(sent().at(-1)).toEqual({ token: "third", device_id: "kitchen" });
  expect(world.sockets.attempts).toHaveLength(1);
});

test("[RC21] however often the server asks, the client fetches one token at a time", async () => {
  const { asked, expire, sent } = await ready();
  await expire();
  await expire();
  expect(asked).toHaveLength(2);
  asked[1]!.give("second");
  await settle();
  expect(sent()).toHaveLength(2);
});

test("[RC21] a token that arrives after the connection has ended is dropped", async () => {
  const { client, world, asked, expire, sent } = await ready();
  await expire();
  world.sockets.last.end(4401);
  await settle();
  // The attempt fetches its own token, while the fetch for the previous connection is still
  // pending.
  expect(asked).toHaveLength(3);
  asked[1]!.give("late");
  await settle();
  expect(world.sockets.attempts).toHaveLength(1);
  asked[2]!.give("fresh");
  await settle();
  expect(client.status.get().name).toBe("ready");
  expect(sent()).toEqual([{ token: "fresh", device_id: "kitchen", session_id: "s1" }]);
});

test("[RC21] a token that was fetched for one connection is not sent on the next connection", async () => {
  const { world, asked, expire, sent } = await ready();
  await expire();
  world.sockets.last.end(4401);
  await settle();
  asked[2]!.give("fresh");
  await settle();
  asked[1]!.give("late");
  await settle();
  expect(world.sockets.attempts).toHaveLength(2);
  expect(sent().map(({ token }) => token)).toEqual(["fresh"]);
});

test("[RC21] a token that arrives while the client waits or after disconnect() is dropped", async () => {
  for (const leave of ["drop", "disconnect"] as const) {
    const { client, world, asked, expire } = await ready();
    await expire();
    if (leave === "drop") world.sockets.last.end(4408);
    else client.disconnect();
    asked[1]!.give("late");
    await settle();
    expect(world.sockets.last.of("auth")).toHaveLength(1);
    expect(world.sockets.attempts).toHaveLength(1);
    expect(client.status.get().name).toBe(leave === "drop" ? "waiting" : "closed");
    client.disconnect();
  }
});

test("[RC21] a token function that never returns blocks neither the fetch nor the renewal of the next connection", async () => {
  const { client, world, asked, expire, sent } = await ready();
  await expire();
  world.sockets.last.end(4401);
  await settle();
  asked[2]!.give("fresh");
  await settle();
  expect(client.status.get().name).toBe("ready");
  await expire();
  expect(asked).toHaveLength(4);
  // The end of the stuck fetch does not allow a second fetch while another fetch is pending.
  asked[1]!.give("late");
  await settle();
  await expire();
  expect(asked).toHaveLength(4);
  asked[3]!.give("newer");
  await settle();
  expect(sent().map(({ token }) => token)).toEqual(["fresh", "newer"]);
});

test("[RC22] if the token function fails, the error is logged; after a failure or without a token, the function is called again when the server asks again", async () => {
  const warn = vi.fn();
  const { client, world, asked, expire, sent } = await ready({ debug() {}, info() {}, warn, error() {} });
  await expire();
  asked[1]!.fail(new Error("500"));
  await settle();
  expect(warn).toHaveBeenCalledExactlyOnceWith({ error: new Error("500") }, expect.any(String));
  await expire();
  asked[2]!.give(null);
  await settle();
  expect(sent()).toHaveLength(1);
  expect(client.status.get().name).toBe("ready");
  expect(world.errors).toEqual([]);
  await expire();
  asked[3]!.give("at last");
  await settle();
  expect(sent().at(-1)).toMatchObject({ token: "at last" });
});

test.each([["a fixed string", "t0ken"] as const, ["none", undefined] as const])(
  "[RC22] if the token is %s, no newer token is sent",
  async (_, token) => {
    const { client, world } = testClient(answers(), { token });
    await settle();
    world.sockets.last.receive(expiring);
    await settle();
    expect(world.sockets.last.of("auth")).toHaveLength(1);
    expect(client.status.get().name).toBe("ready");
  },
);

test("[RC23] if the server refuses the newer token, the client fetches another token and reconnects, and the reason contains the refusal", async () => {
  const { client, world, asked, expire } = await ready();
  const refuse = async (code: number): Promise<void> => {
    const error = { code: "UNAUTHENTICATED", message: "The token has expired." };
    world.sockets.last.receive({ type: "auth_response", data: { success: false, error } });
    world.sockets.last.end(code);
    await settle();
  };
  await expire();
  asked[1]!.give("stale");
  await settle();
  await refuse(4401);
  asked[2]!.give("fresh");
  await settle();
  expect(client.status.get().name).toBe("ready");
  const outcome = failure(client.request("agents.list"));
  await refuse(4403);
  expect(client.status.get()).toMatchObject({
    name: "closed",
    reason: { name: "FORBIDDEN", error: { code: "UNAUTHENTICATED", message: "The token has expired." } },
  });
  expect(await outcome).toMatchObject({ code: "NOT_CONNECTED", cause: { message: "The token has expired." } });
});
