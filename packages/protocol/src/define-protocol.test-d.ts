import * as full from "zod";
import * as z from "zod/mini";
import { describe, expectTypeOf, test } from "vitest";
import { isDeclaredError } from "./declared-error.js";
import { defineProtocol, type Protocol, type ProtocolDefinition, type RequestKind } from "./define-protocol.js";
import type { ClientMessageOf, ServerMessageOf } from "./index.js";
import type {
  ChannelName,
  DefinitionOf,
  DirectGroup,
  DirectName,
  DirectOf,
  DirectOfGroup,
  ErrorCodeOf,
  ErrorDataOf,
  EventGroup,
  EventName,
  EventOf,
  EventOfGroup,
  InputOf,
  KeyArguments,
  KeyOf,
  OutputOf,
  ParametersOf,
  PresenceChannelName,
  PresenceOf,
  RequestName,
  SentDirectOf,
  SentErrorDataOf,
  SentEventOf,
  SentInputOf,
  SentOutputOf,
  SentParametersOf,
  SentPresenceOf,
} from "./infer.js";

const agents = defineProtocol({
  name: "agents",
  version: "1.0.0",
  parameters: z.object({ sessionId: z.string(), page: z._default(z.coerce.number(), 1) }),
  requests: {
    "agent.start": {
      kind: "mutation",
      input: full.object({ id: full.string(), retries: full.number().default(3) }),
      output: z.object({ startedAt: z.date() }),
      errors: {
        UNKNOWN_AGENT: z.object({ id: z.string() }),
        TOO_MANY: z.object({ maximum: z._default(z.number(), 5) }),
      },
    },
    "agents.list": { output: z.array(z.string()) },
    forget: {},
  },
  channels: {
    metrics: { events: { sampled: z.object({ at: z.date(), load: full.number().default(0) }), cleared: z.void() } },
    board: { key: z.uuid(), document: z.object({ cycle: z.number() }) },
  },
  direct: { paused: z.object({ at: z._default(z.number(), 0) }) },
});
type Agents = DefinitionOf<typeof agents>;

const bare = defineProtocol({ name: "bare", version: "1.0.0" });
type Bare = DefinitionOf<typeof bare>;

describe("the types of a protocol", () => {
  test("[PR5] the types of names list exactly the names in the definition", () => {
    expectTypeOf<RequestName<Agents>>().toEqualTypeOf<"agent.start" | "agents.list" | "forget">();
    expectTypeOf<ChannelName<Agents>>().toEqualTypeOf<"metrics" | "board">();
    expectTypeOf<EventName<Agents, "metrics">>().toEqualTypeOf<"sampled" | "cleared">();
    expectTypeOf<EventName<Agents, "board">>().toEqualTypeOf<never>();
    expectTypeOf<DirectName<Agents>>().toEqualTypeOf<"paused">();
    expectTypeOf<ErrorCodeOf<Agents, "agent.start">>().toEqualTypeOf<"UNKNOWN_AGENT" | "TOO_MANY">();
    expectTypeOf<ErrorCodeOf<Agents, "forget">>().toEqualTypeOf<never>();
    expectTypeOf<RequestName<Bare>>().toEqualTypeOf<never>();
    expectTypeOf<ChannelName<Bare>>().toEqualTypeOf<never>();
    expectTypeOf<DirectName<Bare>>().toEqualTypeOf<never>();
  });

  test("[PR5] a field with a default is optional for the sender and required for the receiver", () => {
    expectTypeOf<SentInputOf<Agents, "agent.start">>().toEqualTypeOf<{ id: string; retries?: number | undefined }>();
    expectTypeOf<InputOf<Agents, "agent.start">>().toEqualTypeOf<{ id: string; retries: number }>();
    expectTypeOf<SentEventOf<Agents, "metrics", "sampled">>().toEqualTypeOf<{ at: Date; load?: number | undefined }>();
    expectTypeOf<EventOf<Agents, "metrics", "sampled">>().toEqualTypeOf<{ at: Date; load: number }>();
    expectTypeOf<SentDirectOf<Agents, "paused">>().toEqualTypeOf<{ at?: number | undefined }>();
    expectTypeOf<DirectOf<Agents, "paused">>().toEqualTypeOf<{ at: number }>();
    expectTypeOf<SentErrorDataOf<Agents, "agent.start", "TOO_MANY">>().toEqualTypeOf<{
      maximum?: number | undefined;
    }>();
    expectTypeOf<ErrorDataOf<Agents, "agent.start", "TOO_MANY">>().toEqualTypeOf<{ maximum: number }>();
    expectTypeOf<SentParametersOf<Agents>>().toEqualTypeOf<{ sessionId: string; page?: unknown }>();
    expectTypeOf<ParametersOf<Agents>>().toEqualTypeOf<{ sessionId: string; page: number }>();
  });

  test("[PR5] rich values keep their types", () => {
    expectTypeOf<OutputOf<Agents, "agent.start">>().toEqualTypeOf<{ startedAt: Date }>();
    expectTypeOf<SentOutputOf<Agents, "agent.start">>().toEqualTypeOf<{ startedAt: Date }>();
  });

  test("[PR5] a part that is not declared has the type undefined or never", () => {
    expectTypeOf<InputOf<Agents, "agents.list">>().toEqualTypeOf<undefined>();
    expectTypeOf<OutputOf<Agents, "forget">>().toEqualTypeOf<undefined>();
    expectTypeOf<SentOutputOf<Agents, "forget">>().toEqualTypeOf<undefined | void>();
    expectTypeOf<ParametersOf<Bare>>().toEqualTypeOf<undefined>();
  });

  test("[PR5] a key is an argument if the channel declares a key", () => {
    expectTypeOf<KeyArguments<Agents, "board">>().toEqualTypeOf<[key: string]>();
    expectTypeOf<KeyArguments<Agents, "metrics">>().toEqualTypeOf<[]>();
    expectTypeOf<KeyOf<Agents, "board">>().toEqualTypeOf<string>();
    expectTypeOf<KeyOf<Agents, "metrics">>().toEqualTypeOf<undefined>();
  });

  test("[PR5] events and direct events form groups by the dots in their names, and `event` narrows `data`", () => {
    const events = {
      "playback.paused": z.object({ at: z.number() }),
      "playback.queue.added": z.string(),
      "sync.done": z.boolean(),
      hello: z.string(),
    };
    const player = defineProtocol({
      name: "player",
      version: "1.0.0",
      channels: { player: { events }, empty: { presence: z.object({}) } },
      direct: events,
    });
    type Player = DefinitionOf<typeof player>;
    type Paused = { readonly event: "playback.paused"; readonly data: { at: number } };
    type Added = { readonly event: "playback.queue.added"; readonly data: string };
    type Done = { readonly event: "sync.done"; readonly data: boolean };
    type Hello = { readonly event: "hello"; readonly data: string };
    expectTypeOf<DirectGroup<Player>>().toEqualTypeOf<"playback.*" | "playback.queue.*" | "sync.*" | "*">();
    expectTypeOf<DirectOfGroup<Player, "playback.*">>().toEqualTypeOf<Paused | Added>();
    expectTypeOf<DirectOfGroup<Player, "playback.queue.*">>().toEqualTypeOf<Added>();
    expectTypeOf<DirectOfGroup<Player, "*">>().toEqualTypeOf<Paused | Added | Done | Hello>();
    expectTypeOf<EventGroup<Player, "player">>().toEqualTypeOf<DirectGroup<Player>>();
    expectTypeOf<EventOfGroup<Player, "player", "playback.*">>().toEqualTypeOf<Paused | Added>();
    expectTypeOf<EventOfGroup<Player, "player", "playback.queue.*">>().toEqualTypeOf<Added>();
    expectTypeOf<EventOfGroup<Player, "player", "*">>().toEqualTypeOf<Paused | Added | Done | Hello>();
    expectTypeOf<EventOfGroup<Player, "empty", "*">>().toBeNever();
  });

  test("[PR5] for a union of channels, the key has to fit each channel, and events and keys are unions", () => {
    const many = defineProtocol({
      name: "many",
      version: "1.0.0",
      channels: {
        board: { key: z.string(), events: { moved: z.number(), "card.added": z.string() } },
        list: { key: z.enum(["a", "b"]), events: { "card.added": z.boolean() } },
        news: { events: { posted: z.string() } },
        alarm: { events: { posted: z.number() } },
      },
    });
    type Many = DefinitionOf<typeof many>;
    expectTypeOf<KeyOf<Many, "board" | "news">>().toEqualTypeOf<string | undefined>();
    expectTypeOf<KeyOf<Many, "list" | "news">>().toEqualTypeOf<"a" | "b" | undefined>();
    expectTypeOf<KeyOf<Many, never>>().toBeNever();
    expectTypeOf<KeyArguments<Many, "board" | "list">>().toEqualTypeOf<[key: "a" | "b"]>();
    expectTypeOf<KeyArguments<Many, "news" | "alarm">>().toEqualTypeOf<[]>();
    expectTypeOf<KeyArguments<Many, "board" | "news">>().toEqualTypeOf<[key: never]>();
    expectTypeOf<EventOfGroup<Many, "board" | "news", "*">>().toEqualTypeOf<
      | { readonly event: "moved"; readonly data: number }
      | { readonly event: "card.added"; readonly data: string }
      | { readonly event: "posted"; readonly data: string }
    >();
    expectTypeOf<EventOfGroup<Many, "board" | "list", "card.*">>().toEqualTypeOf<
      { readonly event: "card.added"; readonly data: string } | { readonly event: "card.added"; readonly data: boolean }
    >();
    expectTypeOf<EventName<Many, "news" | "alarm">>().toEqualTypeOf<"posted">();
    expectTypeOf<EventOf<Many, "news" | "alarm", "posted">>().toEqualTypeOf<string | number>();
  });

  test("[PR5] presence has a type on the channels that declare presence", () => {
    const room = defineProtocol({
      name: "room",
      version: "1.0.0",
      channels: {
        room: { key: z.string(), presence: z.object({ name: z.string(), mood: z._default(z.string(), "fine") }) },
        news: { events: { published: z.string() } },
      },
    });
    type Room = DefinitionOf<typeof room>;
    expectTypeOf<PresenceChannelName<Room>>().toEqualTypeOf<"room">();
    expectTypeOf<PresenceOf<Room, "room">>().toEqualTypeOf<{ name: string; mood: string }>();
    expectTypeOf<SentPresenceOf<Room, "room">>().toEqualTypeOf<{ name: string; mood?: string | undefined }>();
    expectTypeOf<PresenceOf<Room, "news">>().toBeNever();
  });

  test("[PR5] every protocol is assignable to Protocol", () => {
    expectTypeOf(agents).toExtend<Protocol>();
    expectTypeOf(bare).toExtend<Protocol>();
    expectTypeOf<Agents>().toExtend<ProtocolDefinition>();
    expectTypeOf<Agents["requests"]["agent.start"]["kind"]>().toEqualTypeOf<"mutation">();
    expectTypeOf<RequestKind>().toEqualTypeOf<"query" | "mutation" | "once">();
  });

  test("[PR5] `isDeclaredError` narrows to the code and its data", () => {
    const caught: unknown = undefined;
    if (isDeclaredError(agents, "agent.start", caught)) {
      expectTypeOf(caught.code).toEqualTypeOf<"UNKNOWN_AGENT" | "TOO_MANY">();
      if (caught.code === "UNKNOWN_AGENT") expectTypeOf(caught.data).toEqualTypeOf<{ id: string }>();
    }
  });

  test("[PR5] the unions of messages narrow by `type`", () => {
    expectTypeOf<ClientMessageOf<"cancel">["correlation_id"]>().toEqualTypeOf<string>();
    expectTypeOf<ServerMessageOf<"reset">["data"]["reason"]>().toEqualTypeOf<
      "epoch" | "fork" | "trimmed" | "too_many" | "server"
    >();
  });

  test("[PR5] a wrong use does not compile", () => {
    // @ts-expect-error no such kind
    defineProtocol({ name: "a", version: "1.0.0", requests: { a: { kind: "command" } } });
    // @ts-expect-error an input is a schema
    defineProtocol({ name: "a", version: "1.0.0", requests: { a: { input: { id: "string" } } } });
    // @ts-expect-error a key is a string
    defineProtocol({ name: "a", version: "1.0.0", channels: { a: { key: z.number(), events: {} } } });
    // @ts-expect-error a version is required
    defineProtocol({ name: "a" });
    // @ts-expect-error parameters are an object
    defineProtocol({ name: "a", version: "1.0.0", parameters: z.string() });
    const channel = { events: { e: z.string() } };
    // @ts-expect-error a history needs `ttlMs`
    defineProtocol({ name: "a", version: "1.0.0", channels: { a: { ...channel, history: { size: 5 } } } });
    // @ts-expect-error deviceId is "optional" or "required"
    defineProtocol({ name: "a", version: "1.0.0", deviceId: true });
    // @ts-expect-error no such request
    isDeclaredError(agents, "agent.fly", undefined);
    // @ts-expect-error no such event
    expectTypeOf<EventOf<Agents, "metrics", "exploded">>().toBeNever();
  });
});
