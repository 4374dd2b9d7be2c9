import {
  type CloseCodeName,
  type CloseName,
  type DefinitionOf,
  defineProtocol,
  type Immutable,
  isDeclaredError,
  type RequestName,
} from "@holdfast/protocol";
import { describe, expectTypeOf, test } from "vitest";
import { WebSocket as NodeWebSocket } from "ws";
import * as z from "zod";
import * as mini from "zod/mini";
import { agents } from "../test/support/agents.js";
import {
  type AbortSignalLike,
  type BaseOptions,
  type ChannelPresence,
  type ChannelDocument,
  type Client,
  type CloseInfo,
  type CloseInfoName,
  createClient,
  type HoldfastError,
  keepPositions,
  type Observable,
  type Presence,
  presenceOf,
  type PresentUser,
  documentOf,
  type Status,
  type TokenSource,
  type WebSocketConstructor,
} from "./index.js";

const client = createClient(agents, { url: "ws://localhost/ws" });

describe("request", () => {
  test("the input is checked and the output inferred, including rich values", () => {
    expectTypeOf(client.request("agent.start", { program: "primes" })).resolves.toEqualTypeOf<{
      id: string;
      startedAt: Date;
    }>();
    expectTypeOf(client.request("agents.list")).resolves.toEqualTypeOf<string[]>();
    expectTypeOf(client.request("agent.rename", { name: "a" })).resolves.toEqualTypeOf<undefined>();
  });

  test("wrong names and inputs do not compile", () => {
    expectTypeOf<RequestName<DefinitionOf<typeof agents>>>().toEqualTypeOf<
      "agent.start" | "agent.rename" | "agents.list" | "agents.find"
    >();
    // @ts-expect-error: no such request
    void client.request("agent.stop");
    // @ts-expect-error: the input is missing
    void client.request("agent.start");
    // @ts-expect-error: the input is wrong
    void client.request("agent.start", { program: 1 });
    // @ts-expect-error: this request takes no input
    void client.request("agents.list", { program: "primes" });
  });

  test("options are the third argument, and the input may be omitted if it is optional or not declared", () => {
    const { signal } = new AbortController();
    expectTypeOf(signal).toExtend<AbortSignalLike>();
    void client.request("agent.start", { program: "primes" }, { timeoutMs: 5, signal });
    void client.request("agents.list", undefined, { timeoutMs: 5, signal });
    void client.request("agents.find");
    void client.request("agents.find", "x", { timeoutMs: 5 });
    // @ts-expect-error: this request declares no input, and options are not an input
    void client.request("agents.list", { timeoutMs: 5, signal });
    // @ts-expect-error: no such option
    void client.request("agents.list", undefined, { timeout: 5 });
  });

  test("a caught error narrows to the declared errors", () => {
    const caught = null as unknown;
    if (isDeclaredError(agents, "agent.start", caught)) {
      expectTypeOf(caught.code).toEqualTypeOf<"UNKNOWN_PROGRAM">();
      expectTypeOf(caught.data).toEqualTypeOf<{ known: string[]; since: Date }>();
    }
  });
});

describe("options", () => {
  const rooms = defineProtocol({
    name: "rooms",
    version: "1.0.0",
    parameters: z.object({ sessionId: z.string(), page: z.coerce.number().default(1) }),
    channels: { room: { events: { said: mini.string() } } },
  });

  test("parameters are required exactly if the protocol declares them", () => {
    const made = createClient(rooms, { url: "ws://localhost/ws", parameters: { sessionId: "s1" } });
    expectTypeOf(made).toEqualTypeOf<Client<DefinitionOf<typeof rooms>>>();
    // @ts-expect-error: the parameters are missing
    createClient(rooms, { url: "ws://localhost/ws" });
    // @ts-expect-error: a parameter is wrong
    createClient(rooms, { url: "ws://localhost/ws", parameters: { sessionId: 1 } });
    // @ts-expect-error: this protocol declares no parameters
    createClient(agents, { url: "ws://localhost/ws", parameters: { sessionId: "s1" } });
  });

  test("the token is a string, or a function that returns a string or nothing, synchronously or not", () => {
    expectTypeOf<TokenSource>().toEqualTypeOf<BaseOptions["token"] & {}>();
    createClient(agents, { url: "ws://localhost/ws", token: "t" });
    createClient(agents, { url: "ws://localhost/ws", token: () => "t" });
    createClient(agents, { url: "ws://localhost/ws", token: () => localStorage.getItem("token") });
    createClient(agents, { url: "ws://localhost/ws", token: async () => "t" });
    // @ts-expect-error: a number is not a token
    createClient(agents, { url: "ws://localhost/ws", token: () => 1 });
  });

  test("WebSocket accepts the platform's class and the class of ws", () => {
    expectTypeOf(WebSocket).toExtend<WebSocketConstructor>();
    createClient(agents, { url: "ws://localhost/ws", WebSocket });
    createClient(agents, { url: "ws://localhost/ws", WebSocket: NodeWebSocket });
  });
});

test("deviceId is required if the protocol requires it, and optional otherwise", () => {
  const devices = defineProtocol({ name: "devices", version: "1.0.0", deviceId: "required" });
  createClient(devices, { url: "ws://localhost/ws", deviceId: "kitchen" });
  // @ts-expect-error: the device is missing
  createClient(devices, { url: "ws://localhost/ws" });
  // @ts-expect-error: undefined is not a device
  createClient(devices, { url: "ws://localhost/ws", deviceId: undefined });
  createClient(agents, { url: "ws://localhost/ws", deviceId: "kitchen" });
  createClient(agents, { url: "ws://localhost/ws", deviceId: undefined });
});

describe("presence", () => {
  const rooms = defineProtocol({
    name: "rooms",
    version: "1.0.0",
    channels: {
      room: { key: z.string(), presence: z.object({ name: z.string().default("someone") }) },
      news: { events: { posted: z.string() } },
    },
  });
  const made = createClient(rooms, { url: "ws://localhost/ws" });

  test("the data is typed for reading and for setting", () => {
    const who = presenceOf(made.channel("room", "r1"));
    expectTypeOf(who).toEqualTypeOf<ChannelPresence<{ name: string }, { name?: string | undefined }>>();
    expectTypeOf(who.get()).toEqualTypeOf<Presence<{ name: string }>>();
    expectTypeOf(who.get().users[0]!).toEqualTypeOf<PresentUser<{ name: string }>>();
    expectTypeOf(who.subscribe(({ users }) => users.map(({ data }) => data.name))).toEqualTypeOf<() => void>();
    who.set({});
    who.set(undefined);
    // @ts-expect-error: the data is wrong
    who.set({ name: 1 });
  });

  test("only channels that declare presence have a presence", () => {
    // @ts-expect-error: this channel declares no presence
    presenceOf(made.channel("news"));
    // @ts-expect-error: this protocol declares no presence
    presenceOf(client.channel("agent-updates"));
  });
});

describe("state", () => {
  const boards = defineProtocol({
    name: "boards",
    version: "1.0.0",
    channels: {
      board: {
        key: z.string(),
        document: z.object({ cards: z.array(z.object({ due: z.date() })), open: z.boolean().default(true) }),
      },
      news: { events: { posted: z.string() } },
    },
  });
  const made = createClient(boards, { url: "ws://localhost/ws" });
  type Board = { cards: { due: Date }[]; open: boolean };

  test("the document is typed and read-only", () => {
    const document = documentOf(made.channel("board", "b"));
    expectTypeOf(document).toEqualTypeOf<ChannelDocument<Board>>();
    expectTypeOf(document.get()).toEqualTypeOf<Immutable<Board> | undefined>();
    expectTypeOf(document).toExtend<Observable<Immutable<Board> | undefined>>();
    expectTypeOf(
      document.subscribe((now, previous) => {
        expectTypeOf(now).toEqualTypeOf<Immutable<Board> | undefined>();
        expectTypeOf(previous).toEqualTypeOf<Immutable<Board> | undefined>();
      }),
    ).toEqualTypeOf<() => void>();
    // @ts-expect-error: the document is shared and read-only
    document.get()!.open = false;
    // @ts-expect-error: the document's lists are also read-only
    document.get()!.cards.push({ due: new Date() });
  });

  test("only channels that declare a document have a document", () => {
    // @ts-expect-error: this channel declares no document
    documentOf(made.channel("news"));
    // @ts-expect-error: this protocol declares no document
    documentOf(client.channel("agent-updates"));
  });
});

test("the status narrows by its name", () => {
  const status: Status = client.status.get();
  if (status.name === "ready") expectTypeOf(status.resumed).toEqualTypeOf<boolean>();
  if (status.name === "ready") expectTypeOf(status.sessionId).toEqualTypeOf<string>();
  if (status.name === "waiting") expectTypeOf(status.retryAt).toEqualTypeOf<number>();
  // @ts-expect-error: only a waiting client has a next attempt
  void status.retryAt;
  expectTypeOf(client.status.subscribe((next) => expectTypeOf(next).toEqualTypeOf<Status>())).toEqualTypeOf<
    () => void
  >();
});

test("[CN28] the name of a reason is of a closed list, so a misspelt name does not compile", () => {
  const status: Status = client.status.get();
  if (!("reason" in status)) return;
  expectTypeOf(status.reason).toEqualTypeOf<CloseInfo>();
  expectTypeOf(status.reason.name).toEqualTypeOf<CloseInfoName>();
  type Own = "CONNECT_TIMEOUT" | "TOKEN_FAILED" | "NO_TOKEN" | "DISCONNECTED";
  expectTypeOf<CloseInfoName>().toEqualTypeOf<CloseCodeName | Own>();
  type Beyond = "APPLICATION_RETRY" | "APPLICATION_STOP" | "UNKNOWN";
  expectTypeOf<CloseCodeName>().toEqualTypeOf<CloseName | Beyond>();
  expectTypeOf<"NORMAL" | "REPLACED" | "RATE_LIMITED">().toExtend<CloseName>();
  expectTypeOf<string>().not.toExtend<CloseInfoName>();
  // @ts-expect-error: no such name
  void (status.reason.name === "FORBIDEN");
});

test("onError passes an error and its context", () => {
  client.onError((error, context) => {
    expectTypeOf(error).toEqualTypeOf<HoldfastError>();
    expectTypeOf(context.source).toEqualTypeOf<
      "event" | "handler" | "listener" | "message" | "send" | "server" | "document" | "storage" | "call"
    >();
  });
});

test("keepPositions accepts every storage with the right methods, and the option `positions` accepts only the result of keepPositions", () => {
  const asyncStorage = {
    getItem: (_key: string): Promise<string | null> => Promise.resolve(null),
    setItem: (_key: string, _value: string): Promise<void> => Promise.resolve(),
  };
  createClient(agents, { url: "", positions: keepPositions(sessionStorage) });
  createClient(agents, { url: "", positions: keepPositions(asyncStorage) });
  // @ts-expect-error: a storage has to be passed to keepPositions
  createClient(agents, { url: "", positions: sessionStorage });
});
