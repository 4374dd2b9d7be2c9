import { defineProtocol } from "@holdfast/protocol";
import { expect, test, vi } from "vitest";
import * as z from "zod/mini";
import { answers, connected } from "../test/support/behaviours.js";
import { pass, settle, testClientOf, withFakeTime } from "../test/support/test-client.js";

withFakeTime();

const player = defineProtocol({
  name: "player",
  version: "1.0.0",
  direct: { paused: z.object({ at: z.date() }), stopped: z.string() },
});
const running = () =>
  answers({ connected: connected({ protocol: { name: "player", version: "1.0.0", fingerprint: "x" } }) });

test("[CH18] Direct events reach their handlers validated and in order, whatever channels are joined", async () => {
  const { client, world } = testClientOf(player, running());
  const heard: unknown[] = [];
  client.direct.on("paused", async (data) => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    heard.push(data);
  });
  const off = client.direct.on("stopped", (data) => heard.push(data));
  await settle();
  const send = (event: string, data: unknown, meta?: unknown): void =>
    world.sockets.last.receive({ type: "event", channel: "$all", event, data, meta });
  send("paused", { at: "1970-01-01T00:00:00.000Z" }, { values: { at: ["Date"] } });
  send("stopped", "done");
  expect(heard).toEqual([]);
  await pass(10);
  expect(heard).toEqual([{ at: new Date(0) }, "done"]);
  off();
  send("stopped", "again");
  expect(heard).toHaveLength(2);
  expect(world.sockets.last.of("subscribe")).toEqual([]);
});

test("[CH18] A direct event that does not match goes to onError; one that is unknown or that no one hears is ignored", async () => {
  const { client, world } = testClientOf(player, running());
  const heard = vi.fn();
  client.direct.on("stopped", heard);
  await settle();
  for (const event of ["stopped", "paused", "constructor"]) {
    world.sockets.last.receive({ type: "event", channel: "$user", event, data: 7 });
  }
  expect(heard).not.toHaveBeenCalled();
  expect(world.errors).toMatchObject([
    { error: { code: "BAD_MESSAGE", field: "data" }, context: { source: "event", event: "stopped" } },
  ]);
});

test("[CH15] A direct event that the protocol does not have is refused where it is named", () => {
  const { client } = testClientOf(player, running());
  expect(() => client.direct.on("moved" as never, () => undefined)).toThrow(
    expect.objectContaining({ code: "INVALID_VALUE", field: "event" }),
  );
});
