import { defineProtocol } from "@holdfast/protocol";
import {
  createServer,
  type DeliveryFailure,
  type DisconnectUserOptions,
  type PresentUser,
  type Session,
} from "@holdfast/server";
import { expectTypeOf, test } from "vitest";
import * as z from "zod";
import * as mini from "zod/mini";

const protocol = defineProtocol({
  name: "typed",
  version: "1.0.0",
  parameters: z.object({ sessionId: z.uuid(), page: z.coerce.number().default(1) }),
  requests: {
    start: {
      input: z.object({ id: z.string(), times: z.number().default(1) }),
      output: mini.object({ startedAt: mini.date() }),
      errors: { UNKNOWN: z.object({ id: z.string() }), BUSY: z.object({ retryAt: z.date() }) },
    },
    ping: {},
  },
  channels: {
    updates: { events: { changed: z.object({ id: z.string() }), gone: z.null() } },
    board: { key: z.uuid(), events: { moved: z.object({ x: z.number() }) } },
  },
  direct: { hello: z.object({ text: z.string() }) },
});
const room = defineProtocol({
  name: "room",
  version: "1.0.0",
  requests: { buy: { input: z.string() } },
  channels: {
    room: { key: z.string(), presence: z.object({ name: z.string(), mood: z.string().default("fine") }) },
    news: { events: { published: z.string() } },
  },
  direct: { "playback.paused": z.object({ at: z.number() }) },
});
const server = createServer(protocol, {
  authenticate: ({ token, parameters }) => {
    expectTypeOf(parameters).toEqualTypeOf<{ sessionId: string; page: number }>();
    return { userId: token, claims: { admin: true } };
  },
  authorize: ({ identity, session, key }) => {
    expectTypeOf(identity.claims.admin).toEqualTypeOf<boolean>();
    expectTypeOf(session.parameters.page).toEqualTypeOf<number>();
    expectTypeOf(key).toEqualTypeOf<string | undefined>();
    return true;
  },
});

test("[TY1] handle: the handler receives the parsed input and must return the output", () => {
  server.handle("start", ({ input, session, signal, name }) => {
    expectTypeOf(input).toEqualTypeOf<{ id: string; times: number }>();
    expectTypeOf(session.identity.claims.admin).toEqualTypeOf<boolean>();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    expectTypeOf(name).toEqualTypeOf<"start">();
    return { startedAt: new Date() };
  });
  server.handle("ping", ({ input }) => {
    expectTypeOf(input).toEqualTypeOf<undefined>();
  });
  // @ts-expect-error: the output's date is a string
  server.handle("start", () => ({ startedAt: "now" }));
  // @ts-expect-error: nothing is returned
  server.handle("start", () => {});
  // @ts-expect-error: the output of an async handler is checked, too
  server.handle("start", async () => ({ started: new Date() }));
  // @ts-expect-error: there is no such request
  server.handle("stop", () => {});
  // @ts-expect-error: the input has no such field
  server.handle("start", ({ input }) => ({ startedAt: input.when }));
});

test("[TY2] handle: `error` accepts the errors that the request declares, with their data, and built-in refusals", () => {
  server.handle("start", ({ error }) => {
    expectTypeOf(error("UNKNOWN", { id: "a" }).code).toEqualTypeOf<"UNKNOWN">();
    if (Math.random() > 2) throw error("UNKNOWN", { id: "a" });
    if (Math.random() > 2) throw error("BUSY", { retryAt: new Date() }, "Later.");
    if (Math.random() > 2) throw error("FORBIDDEN", "Not you.");
    // @ts-expect-error: wrong data
    if (Math.random() > 2) throw error("UNKNOWN", { id: 5 });
    // @ts-expect-error: the request does not declare this error
    throw error("EXPLODED", { id: "a" });
  });
});

test("[TY3] publish: channel, key, event and data must match the protocol", () => {
  expectTypeOf(server.channel("updates").publish("changed", { id: "a" })).resolves.toHaveProperty("delivered");
  void server.channel("updates").publish("gone", null);
  void server.channel("board", "7c1f0a3e-6b1d-4f7e-9a53-0d5c2b8f4e11").publish("moved", { x: 1 });
  // @ts-expect-error: wrong data
  void server.channel("updates").publish("changed", { id: 5 });
  // @ts-expect-error: no such event
  void server.channel("updates").publish("moved", { x: 1 });
  // @ts-expect-error: no such channel
  void server.channel("update");
  // @ts-expect-error: the key is missing
  void server.channel("board");
  // @ts-expect-error: there is no key
  void server.channel("updates", "k");
  // @ts-expect-error: wrong data of a direct event
  void server.broadcast("hello", { text: 1 });
  void server.broadcast("hello", { text: "hi" });
});

test("[TY4] createServer: without `authenticate`, sessions have no identity", () => {
  const open = createServer(protocol);
  expectTypeOf(open.sessions()[0]!.identity).toEqualTypeOf<undefined>();
  // @ts-expect-error: authenticate must return a userId
  createServer(protocol, { authenticate: () => ({ name: "Ada" }) });
});

test("[TY5] sessionData: its return type is the type of `session.data` everywhere", async () => {
  const shop = createServer(room, {
    authenticate: () => ({ userId: "u1", claims: { plan: "free" } }),
    sessionData: ({ identity }) => ({ cart: [] as string[], plan: identity.claims.plan }),
    authorize: ({ session }) => session.data.cart.length < 5,
    presence: {
      room: ({ identity, session, data }) => {
        expectTypeOf(data).toEqualTypeOf<{ name: string; mood: string } | undefined>();
        return { name: `${identity.userId} ${session.data.plan}` };
      },
    },
  });
  shop.handle("buy", ({ session, input }) => void session.data.cart.push(input));
  shop.use(async ({ session }, next) => {
    expectTypeOf(session.data.cart).toEqualTypeOf<string[]>();
    return next();
  });
  shop.onSession(({ type, session }) => {
    expectTypeOf(type).toEqualTypeOf<"opened" | "resumed" | "dropped" | "ended">();
    expectTypeOf(session.data.plan).toEqualTypeOf<string>();
  });
  expectTypeOf(shop.sessions()[0]!.data.cart).toEqualTypeOf<string[]>();
  expectTypeOf(shop.session("id").get()?.identity.claims.plan).toEqualTypeOf<string | undefined>();
  expectTypeOf(server.sessions()[0]!.data).toEqualTypeOf<undefined>();

  const user = shop.user("u1");
  expectTypeOf(user.sessions()[0]!.data.plan).toEqualTypeOf<string>();
  expectTypeOf(await user.send("playback.paused", { at: 1 }, { exceptDevice: "d", ack: true })).toEqualTypeOf<{
    readonly delivered: readonly string[];
    readonly failed: readonly { readonly deviceId: string; readonly reason: DeliveryFailure }[];
  }>();
  expectTypeOf(await shop.channel("room", "a").presence.list()).toEqualTypeOf<
    PresentUser<{ name: string; mood: string }>[]
  >();
  expectTypeOf(shop.channel("news").presence).toBeNever();
  // @ts-expect-error: the data has no such field
  void user.send("playback.paused", { when: 1 });
  // @ts-expect-error: there is no such direct event
  void user.send("playback.stopped", { at: 1 });
  createServer(room, {
    authenticate: () => ({ userId: "u1" }),
    // @ts-expect-error: the channel declares no presence
    presence: { news: () => ({ name: "x" }) },
  });
  createServer(room, {
    authenticate: () => ({ userId: "u1" }),
    // @ts-expect-error: the presence data requires a name
    presence: { room: () => ({ mood: "x" }) },
  });
});

test("[SN19] disconnect and revoke: accept one object of options, and `where` only for a user", () => {
  const one = server.sessions()[0]!;
  one.disconnect();
  one.disconnect({ code: 4800, reason: "moved" });
  expectTypeOf(server.session("s").disconnect({ code: 4800 })).resolves.toBeBoolean();
  expectTypeOf(server.session("s").revoke({ reason: "stolen" })).resolves.toBeBoolean();
  expectTypeOf(server.user("u").disconnect({ reason: "banned" })).resolves.toBeNumber();
  expectTypeOf(server.user("u").disconnect)
    .parameter(0)
    .toEqualTypeOf<
      | DisconnectUserOptions<
          Session<{ userId: string; claims: { admin: boolean } }, { sessionId: string; page: number }, undefined>
        >
      | undefined
    >();
  // @ts-expect-error: arguments by position are not accepted
  one.disconnect(4403);
  // @ts-expect-error: arguments by position are not accepted
  void server.session("s").disconnect(4403, "moved");
  // @ts-expect-error: arguments by position are not accepted
  void server.user("u").disconnect(4403, "banned");
  // @ts-expect-error: arguments by position are not accepted
  void server.session("s").revoke("stolen");
  // @ts-expect-error: a session handle has no `where`
  one.disconnect({ where: { userId: "u" } });
  // @ts-expect-error: a session handle has no `where`
  void server.session("s").disconnect({ where: { userId: "u" } });
  // @ts-expect-error: the code is a number
  void server.user("u").disconnect({ code: "4403" });
  // @ts-expect-error: the close code of revoke is fixed
  void server.session("s").revoke({ code: 4403 });
});

test("[TY6] disconnect: a `where` object must be a part of the identity", () => {
  const shop = createServer(room, {
    authenticate: () => ({ userId: "u1", claims: { login: "l1", plan: { name: "free", seats: 1 } } }),
  });
  void shop.user("u1").disconnect({ code: 4403, reason: "logged out", where: { claims: { login: "l1" } } });
  void shop.user("u1").disconnect({ code: 4403, reason: "logged out", where: { claims: { plan: { seats: 1 } } } });
  void shop
    .user("u1")
    .disconnect({ code: 4403, reason: "logged out", where: ({ identity }) => identity.claims.login === "l1" });
  // @ts-expect-error: the claims have no such field
  void shop.user("u1").disconnect({ code: 4403, reason: "logged out", where: { claims: { session: "l1" } } });
  // @ts-expect-error: a login is a string
  void shop.user("u1").disconnect({ code: 4403, reason: "logged out", where: { claims: { login: 1 } } });
});
