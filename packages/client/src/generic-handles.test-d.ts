import type {
  ChannelName,
  EventGroup,
  EventName,
  EventOf,
  EventOfGroup,
  Immutable,
  KeyArguments,
  KeyOf,
  PresenceChannelName,
  PresenceOf,
  ProtocolDefinition,
  RequestName,
  SentPresenceOf,
  DocumentChannelName,
  DocumentOf,
} from "@holdfast/protocol";
import { defineProtocol } from "@holdfast/protocol";
import { describe, expectTypeOf, test } from "vitest";
import * as z from "zod";
import {
  type Channel,
  type ChannelPresence,
  type ChannelDocument,
  type Client,
  createClient,
  type EventInfo,
  presenceOf,
  type RequestArguments,
  documentOf,
  type WaitOptions,
} from "./index.js";

/**
 * Functions for any protocol without a cast. A binding for a framework consists of such functions.
 */
function handlesOf<P extends ProtocolDefinition>(client: Client<P>) {
  return {
    channel: <C extends ChannelName<P>>(name: C, ...key: KeyArguments<P, C>): Channel<P, C> =>
      client.channel(name, ...key),
    document<C extends DocumentChannelName<P>>(
      name: C,
      ...key: KeyArguments<P, C>
    ): Immutable<DocumentOf<P, C>> | undefined {
      const { get } = documentOf(client.channel(name, ...key));
      return get();
    },
    presence<C extends PresenceChannelName<P>>(name: C, ...key: KeyArguments<P, C>) {
      const channel: Channel<P, C> = client.channel(name, ...key);
      return presenceOf(channel);
    },
    listen<C extends ChannelName<P>, E extends EventName<P, C>>(
      channel: Channel<P, C>,
      event: E,
      handler: (data: EventOf<P, C, E>) => void,
    ) {
      return channel.on(event, handler);
    },
    listenAll<C extends ChannelName<P>, G extends EventGroup<P, C>>(
      channel: Channel<P, C>,
      group: G,
      handler: (given: EventOfGroup<P, C, G>, info: EventInfo) => void,
    ) {
      channel.on("*", (given) => given);
      return channel.on(group, handler);
    },
    keyOf: <C extends ChannelName<P>>(channel: Channel<P, C>): KeyOf<P, C> => channel.key,
    ask: <N extends RequestName<P>>(name: N, ...args: RequestArguments<P, N>) => client.request(name, ...args),
  };
}

describe("A handle in a generic function needs no cast", () => {
  const boards = defineProtocol({
    name: "boards",
    version: "1.0.0",
    requests: { count: { input: z.string(), output: z.number() } },
    channels: {
      board: {
        key: z.enum(["b", "c"]),
        document: z.object({ open: z.boolean() }),
        presence: z.object({ at: z.date() }),
      },
      news: { events: { posted: z.string() } },
    },
  });
  const client = createClient(boards, { url: "ws://localhost/ws" });
  const handles = handlesOf(client);

  test("the protocol's types can be inferred from a handle", () => {
    expectTypeOf(handles.channel("news").name).toEqualTypeOf<"news">();
    expectTypeOf(handles.document("board", "b")).toEqualTypeOf<{ readonly open: boolean } | undefined>();
    expectTypeOf(handles.presence("board", "b").get().users[0]!.data).toEqualTypeOf<{ at: Date }>();
    handles.listen(handles.channel("news"), "posted", (data) => expectTypeOf(data).toEqualTypeOf<string>());
    handles.listenAll(handles.channel("news"), "*", (given) =>
      expectTypeOf(given).toEqualTypeOf<{ readonly event: "posted"; readonly data: string }>(),
    );
    expectTypeOf(handles.keyOf(handles.channel("board", "b"))).toEqualTypeOf<"b" | "c">();
    expectTypeOf(handles.keyOf(handles.channel("news"))).toEqualTypeOf<undefined>();
    // @ts-expect-error: not a key of the channel
    handles.channel("board", "d");
    expectTypeOf(handles.ask("count", "a")).resolves.toEqualTypeOf<number>();
  });

  test("if the name is a union of channel names, the key must be valid for each channel of the union", () => {
    const either = "board" as "board" | "news";
    // @ts-expect-error: board needs a key
    client.channel(either);
    // @ts-expect-error: news has no key
    client.channel(either, "b");
    // @ts-expect-error: board needs a key
    handles.channel(either);
    const one = either === "board" ? client.channel(either, "b") : client.channel(either);
    expectTypeOf(one.key).toEqualTypeOf<"b" | "c" | undefined>();
    handles.listenAll({} as Channel<typeof boards.definition, "board" | "news">, "*", (given) =>
      expectTypeOf(given).toEqualTypeOf<{ readonly event: "posted"; readonly data: string }>(),
    );
  });

  test("a channel without a document or presence is refused, by name and by handle", () => {
    // @ts-expect-error: news has no document
    handles.document("news");
    // @ts-expect-error: news has no presence
    handles.presence("news");
    // @ts-expect-error: a handle of news is not a handle of a channel with a document
    documentOf(client.channel("news"));
    // @ts-expect-error: a handle of news is not a handle of a channel with presence
    presenceOf(client.channel("news"));
    // @ts-expect-error: handles of two channels are not the same type
    expectTypeOf(client.channel("news")).toEqualTypeOf(client.channel("board", "b"));
  });

  test("the functions for documents and presence accept a handle whose type is a parameter", () => {
    type Documents = <P extends ProtocolDefinition, C extends DocumentChannelName<P>>(
      channel: Channel<P, C>,
    ) => ChannelDocument<DocumentOf<P, C>>;
    expectTypeOf(documentOf).toEqualTypeOf<Documents>();
    type Presences = <P extends ProtocolDefinition, C extends PresenceChannelName<P>>(
      channel: Channel<P, C>,
    ) => ChannelPresence<PresenceOf<P, C>, SentPresenceOf<P, C>>;
    expectTypeOf(presenceOf).toEqualTypeOf<Presences>();
  });
});

describe("A request takes an input if it declares a schema, whatever the schema's type", () => {
  const inputs = defineProtocol({
    name: "inputs",
    version: "1.0.0",
    requests: {
      any: { input: z.any() },
      unknown: { input: z.unknown() },
      json: { input: z.json() },
      record: { input: z.record(z.string(), z.any()) },
      optional: { input: z.object({ a: z.string() }).optional() },
      null: { input: z.null() },
      union: { input: z.union([z.string(), z.undefined()]) },
      undefined: { input: z.undefined() },
      needed: { input: z.object({ a: z.string() }) },
      none: {},
    },
    channels: { a: { events: { x: z.any() }, key: z.any() } },
  });
  const client = createClient(inputs, { url: "ws://localhost/ws" });

  test("each kind of input compiles", () => {
    void client.request("any", { a: 1 });
    void client.request("unknown", { a: 1 }, { timeoutMs: 1 });
    void client.request("json", { a: [1, null] });
    void client.request("record", { a: 1 });
    void client.request("optional", { a: "1" });
    void client.request("optional");
    void client.request("optional", undefined, { timeoutMs: 1 });
    void client.request("null", null);
    void client.request("union", "x");
    void client.request("undefined");
    void client.request("none");
    void client.request("none", undefined, { timeoutMs: 1 });
    client.channel("a", "k").on("x", (event) => event.foo);
  });

  test("an input that the schema does not accept is refused", () => {
    // @ts-expect-error: the input is missing
    void client.request("needed");
    // @ts-expect-error: options are not the input
    void client.request("optional", { timeoutMs: 1 });
    // @ts-expect-error: the request declares no input
    void client.request("none", { a: 1 });
    // @ts-expect-error: options are not the input
    void client.request("none", { timeoutMs: 1 });
    // @ts-expect-error: the input is null
    void client.request("null");
  });

  test("the options follow the input", () => {
    type Inputs = typeof inputs.definition;
    expectTypeOf<RequestArguments<Inputs, "any">["0"]>().toBeAny();
    expectTypeOf<RequestArguments<Inputs, "unknown">>().toEqualTypeOf<[input?: unknown, options?: WaitOptions]>();
    expectTypeOf<RequestArguments<Inputs, "needed">>().toEqualTypeOf<[input: { a: string }, options?: WaitOptions]>();
    expectTypeOf<RequestArguments<Inputs, "none">>().toEqualTypeOf<[input?: undefined, options?: WaitOptions]>();
  });
});
