import { defineProtocol, type ServerMessage } from "@holdfast/protocol";
import { describe, expect, test, vi } from "vitest";
import * as z from "zod/mini";
import { answers, connected } from "../test/support/behaviours.js";
import { heardInGroups } from "../test/support/event-groups.js";
import { pass, settle, testClientOf, withFakeTime } from "../test/support/test-client.js";

withFakeTime();

const player = defineProtocol({
  name: "player",
  version: "1.0.0",
  direct: {
    paused: z.object({ at: z.date() }),
    stopped: z.string(),
    "queue.cleared": z.number(),
    "queue.track.added": z.string(),
    queued: z.number(),
  },
});
const running = () =>
  answers({ connected: connected({ protocol: { name: "player", version: "1.0.0", fingerprint: "x" } }) });

/**
 * Creates a ready client, a function that sends direct events, and a function that lists the
 * client's acks.
 */
async function playing() {
  const { client, world } = testClientOf(player, running());
  await settle();
  const event = (name: string, data: unknown, more: object = {}): void =>
    world.sockets.last.receive({ type: "event", channel: "$user", event: name, data, ...more } as ServerMessage);
  const ask = (name: string, data: unknown, id = name): void => event(name, data, { metadata: { id, ack: true } });
  const acks = (): unknown[] => world.sockets.attempts.flatMap((attempt) => attempt.of("ack").map(({ data }) => data));
  return { client, world, event, ask, acks };
}

const later = (ms = 10): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("[CH18] direct events are validated and delivered in order, even if no channel is joined", async () => {
  const { client, world, event } = await playing();
  const heard: unknown[] = [];
  client.direct.on("paused", async (data) => {
    await later();
    heard.push(data);
  });
  const off = client.direct.on("stopped", (data) => heard.push(data));
  event("paused", { at: "1970-01-01T00:00:00.000Z" }, { meta: { values: { at: ["Date"] } } });
  event("stopped", "done");
  expect(heard).toEqual([]);
  await pass(10);
  expect(heard).toEqual([{ at: new Date(0) }, "done"]);
  off();
  event("stopped", "again");
  expect(heard).toHaveLength(2);
  expect(world.sockets.last.of("subscribe")).toEqual([]);
});

test("[CH18] if the data of a direct event does not match, onError receives the error; an event that is unknown or has no handler is ignored", async () => {
  const { client, world, event } = await playing();
  const heard = vi.fn();
  client.direct.on("stopped", heard);
  for (const name of ["stopped", "paused", "constructor"]) event(name, 7);
  expect(heard).not.toHaveBeenCalled();
  expect(world.errors).toMatchObject([
    { error: { code: "BAD_MESSAGE", field: "data" }, context: { source: "event", event: "stopped" } },
  ]);
});

test.each(["moved", "stopped.*", "que*", "queue.track*", "*.cleared", "track.*", ".*", ""])(
  "[CH15] direct.on() with %j, which the protocol does not have, throws INVALID_VALUE",
  (name) => {
    const { client } = testClientOf(player, running());
    expect(() => client.direct.on(name as never, () => undefined)).toThrow(
      expect.objectContaining({ code: "INVALID_VALUE", field: "event" }),
    );
  },
);

describe("Groups", () => {
  test("[DE1] a group handler receives the name and data of each event of the group, beside the handlers of the event itself", async () => {
    const { client, event } = await playing();
    const heard: unknown[] = [];
    client.direct.on("queue.cleared", (data) => heard.push(data));
    client.direct.on("queue.*", (given) => heard.push(["queue.*", given]));
    client.direct.on("queue.track.*", (given) => heard.push(["queue.track.*", given]));
    const off = client.direct.on("*", (given) => heard.push(["*", given]));
    event("queue.cleared", 1);
    event("queue.track.added", "a");
    event("queued", 2);
    off();
    event("queued", 3);
    expect(heard).toEqual(heardInGroups);
  });

  test("[DE1] an error of a group handler goes to onError with the event's name", async () => {
    const { client, world, event } = await playing();
    client.direct.on("*", () => {
      throw new Error("bad handler");
    });
    event("stopped", "x");
    expect(world.errors).toMatchObject([
      { error: { code: "HANDLER_FAILED" }, context: { source: "handler", event: "stopped" } },
    ]);
  });

  test("[DE1] a group of a protocol without direct events throws INVALID_VALUE", () => {
    const { client } = testClientOf(defineProtocol({ name: "none", version: "1.0.0" }), running());
    expect(() => client.direct.on("*", () => undefined)).toThrow(expect.objectContaining({ code: "INVALID_VALUE" }));
  });
});

describe("Acks", () => {
  test("[DE2] an event that requests an ack is acknowledged when all handlers of the event have finished; no other event is acknowledged", async () => {
    const { client, event, ask, acks } = await playing();
    client.direct.on("stopped", () => later(10));
    client.direct.on("stopped", () => later(30));
    client.direct.on("queue.*", () => undefined);
    ask("stopped", "x", "e1");
    ask("queue.cleared", 1, "e2");
    await pass(29);
    expect(acks()).toEqual([]);
    await pass(1);
    expect(acks()).toEqual([{ id: "e1" }, { id: "e2" }]);
    ask("queue.cleared", 1, "e3");
    expect(acks()).toHaveLength(3);
    event("queue.cleared", 1, { metadata: { id: "e4" } });
    event("queue.cleared", 1, { metadata: { ack: true } });
    event("queue.cleared", 1, { metadata: { id: "e6", ack: false } });
    expect(acks()).toHaveLength(3);
  });

  test("[DE3] an ack reports why an event was not handled: no listener, invalid data, or a failed handler", async () => {
    const { client, ask, acks } = await playing();
    client.direct.on("stopped", (text) => {
      if (text === "throw") throw new Error("bad handler");
      return text === "reject" ? later().then(() => Promise.reject(new Error("bad handler"))) : undefined;
    });
    client.direct.on("stopped", () => undefined);
    ask("queued", 1);
    ask("constructor", 1);
    ask("stopped", 7, "wrong");
    for (const text of ["throw", "reject", "fine"]) ask("stopped", text, text);
    await pass(10);
    expect(acks()).toEqual([
      { id: "queued", failure: "not_handled" },
      { id: "constructor", failure: "not_handled" },
      { id: "wrong", failure: "invalid" },
      { id: "throw", failure: "handler_failed" },
      { id: "reject", failure: "handler_failed" },
      { id: "fine" },
    ]);
  });

  test("[DE3] if the handler is removed while an event is queued, the ack says not_handled", async () => {
    const { client, ask, acks } = await playing();
    client.direct.on("queued", () => later());
    const off = client.direct.on("stopped", () => undefined);
    ask("queued", 1);
    ask("stopped", "x");
    off();
    await pass(10);
    expect(acks()).toEqual([{ id: "queued" }, { id: "stopped", failure: "not_handled" }]);
  });

  test("[DE5] a handler that does not finish is reported after 30 s; beyond 2 MiB the oldest events are dropped, reported and acknowledged as failed", async () => {
    const { client, world, ask, acks } = await playing();
    let finish: () => void = () => undefined;
    const heard: string[] = [];
    client.direct.on("stopped", (text) => {
      heard.push(text);
      return heard.length === 1 ? new Promise<void>((resolve) => (finish = resolve)) : undefined;
    });
    const texts = Array.from({ length: 22 }, (_, index) => `${index} ${"x".repeat(100_000)}`);
    texts.forEach((text, index) => ask("stopped", text, String(index)));
    expect(world.errors).toMatchObject([
      {
        error: { code: "HANDLER_FAILED", message: expect.stringMatching(/\b3\b/) },
        context: { source: "handler", channel: "$direct" },
      },
    ]);
    expect(acks()).toEqual(["1", "2", "3"].map((id) => ({ id, failure: "handler_failed" })));
    await pass(30_000);
    expect(world.errors.at(-1)).toMatchObject({
      error: { code: "HANDLER_FAILED" },
      context: { source: "handler", channel: "$direct", event: "stopped" },
    });
    expect(client.status.get()).toMatchObject({ stuckHandlers: 1 });
    finish();
    await settle();
    expect(heard).toEqual([texts[0], ...texts.slice(4)]);
    expect(acks()).toHaveLength(22);
  });

  test.each(["drop", "disconnect"] as const)(
    "[DE4] an ack is sent on the connection that delivered the event, and not at all after a %s",
    async (way) => {
      const { client, world, ask, acks } = await playing();
      client.direct.on("stopped", () => later(10_000));
      ask("stopped", "x");
      if (way === "drop") world.sockets.last.end();
      else client.disconnect();
      client.connect();
      await pass(5_000);
      expect(client.status.get().name).toBe("ready");
      await pass(5_000);
      expect(acks()).toEqual([]);
      ask("stopped", "y", "next");
      await pass(10_000);
      expect(acks()).toEqual([{ id: "next" }]);
    },
  );
});
