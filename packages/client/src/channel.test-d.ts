import { defineProtocol, type ResetReason } from "@holdfast/protocol";
import { describe, expectTypeOf, test } from "vitest";
import * as z from "zod";
import { agents } from "../test/support/agents.js";
import { type ChannelStatus, createClient, type EventInfo } from "./index.js";

const client = createClient(agents, { url: "ws://localhost/ws" });

describe("channel", () => {
  test("a key is required if the channel declares a key, and refused otherwise", () => {
    expectTypeOf(client.channel("board", "b1").name).toEqualTypeOf<"board">();
    expectTypeOf(client.channel("board", "b1").id).toEqualTypeOf<string>();
    expectTypeOf(client.channel("agent-updates").name).toEqualTypeOf<"agent-updates">();
    expectTypeOf(client.channel("board", "b1").key).toEqualTypeOf<string>();
    expectTypeOf(client.channel("agent-updates").key).toEqualTypeOf<undefined>();
    // @ts-expect-error: the key is missing
    client.channel("board");
    // @ts-expect-error: the key is a string
    client.channel("board", 1);
    // @ts-expect-error: this channel has no key
    client.channel("agent-updates", "k");
    // @ts-expect-error: no such channel
    client.channel("boards");
  });

  test("on() infers the event's data and accepts any handler for it", () => {
    const updates = client.channel("agent-updates");
    updates.on("statusChanged", (data) =>
      expectTypeOf(data).toEqualTypeOf<{ agentId: string; at?: Date | undefined }>(),
    );
    const ids: string[] = [];
    expectTypeOf(updates.on("removed", (id) => ids.push(id))).toEqualTypeOf<() => void>();
    updates.on("removed", async (id) => void id.length);
    // @ts-expect-error: no such event
    updates.on("moved", () => undefined);
    // @ts-expect-error: the data is a string
    updates.on("removed", (id: number) => id);
    updates.onReset(({ reason }) => expectTypeOf(reason).toEqualTypeOf<ResetReason | "storage">());
    expectTypeOf(updates.status.get()).toEqualTypeOf<ChannelStatus>();
    expectTypeOf(updates.join({ timeoutMs: 5, signal: new AbortController().signal })).resolves.toEqualTypeOf<void>();
  });
});

test("a channel's events are typed by name and by group, and the handler receives a typed second argument", () => {
  const player = defineProtocol({
    name: "player",
    version: "1.0.0",
    channels: {
      player: {
        events: { "playback.paused": z.object({ at: z.number() }), "playback.speed": z.number(), ended: z.string() },
      },
    },
  });
  const channel = createClient(player, { url: "ws://localhost/ws" }).channel("player");
  channel.on("playback.paused", (data, { id, replayed }) => {
    expectTypeOf(data).toEqualTypeOf<{ at: number }>();
    expectTypeOf(id).toEqualTypeOf<string | undefined>();
    expectTypeOf(replayed).toEqualTypeOf<boolean>();
  });
  channel.on("playback.*", (given, info) => {
    expectTypeOf(given.event).toEqualTypeOf<"playback.paused" | "playback.speed">();
    if (given.event === "playback.speed") expectTypeOf(given.data).toEqualTypeOf<number>();
    expectTypeOf(info).toEqualTypeOf<EventInfo>();
    // @ts-expect-error: the second argument is read-only
    info.replayed = true;
  });
  expectTypeOf(
    channel.on("*", ({ event, data }) => {
      if (event === "ended") expectTypeOf(data).toEqualTypeOf<string>();
    }),
  ).toEqualTypeOf<() => void>();
  // @ts-expect-error: no such event
  channel.on("playback.stopped", () => undefined);
  // @ts-expect-error: no event is in this group
  channel.on("ended.*", () => undefined);
  // @ts-expect-error: the data is a string
  channel.on("ended", (data: number) => data);
  // @ts-expect-error: a group handler receives the event's name together with the data
  channel.on("*", (data: string) => data);
});

test("direct events are typed by name and by group", () => {
  const player = defineProtocol({
    name: "player",
    version: "1.0.0",
    direct: { "playback.paused": z.object({ at: z.number() }), "playback.speed": z.number(), ended: z.string() },
  });
  const { direct } = createClient(player, { url: "ws://localhost/ws" });
  direct.on("playback.paused", (data) => expectTypeOf(data).toEqualTypeOf<{ at: number }>());
  direct.on("playback.*", (given) => {
    expectTypeOf(given.event).toEqualTypeOf<"playback.paused" | "playback.speed">();
    if (given.event === "playback.speed") expectTypeOf(given.data).toEqualTypeOf<number>();
  });
  expectTypeOf(
    direct.on("*", ({ event, data }) => {
      if (event === "ended") expectTypeOf(data).toEqualTypeOf<string>();
    }),
  ).toEqualTypeOf<() => void>();
  // @ts-expect-error: no such event
  direct.on("playback.stopped", () => undefined);
  // @ts-expect-error: no event is in this group
  direct.on("ended.*", () => undefined);
  // @ts-expect-error: the data is a string
  direct.on("ended", (data: number) => data);
  // @ts-expect-error: a direct event has no history, so its handler has no second argument
  direct.on("ended", (_data, info) => info);
});
