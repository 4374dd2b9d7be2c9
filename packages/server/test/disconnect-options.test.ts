import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import type { HoldfastError } from "@holdfast/protocol";
import { identityServer, sessionOf } from "./support/identity-server.js";

type Call = (...given: readonly unknown[]) => unknown;

/** The calls that end sessions, without their types: JavaScript callers have no type check. */
async function setUp() {
  const { server, harness, connect } = identityServer();
  const peer = await connect("u1");
  const [session] = server.sessions();
  const [user, handle] = [server.user("u1"), server.session(sessionOf(peer))];
  const calls = {
    "user.disconnect": user.disconnect.bind(user) as Call,
    "session(id).disconnect": handle.disconnect.bind(handle) as Call,
    "session.disconnect": session!.disconnect.bind(session) as Call,
    "session(id).revoke": handle.revoke.bind(handle) as Call,
  };
  return { calls, peer, server, harness };
}
type CallName = keyof Awaited<ReturnType<typeof setUp>>["calls"];

/** The error of a call: `session.disconnect` throws, the other calls reject. */
async function errorOf(call: Call, given: readonly unknown[]): Promise<HoldfastError> {
  try {
    await call(...given);
  } catch (error) {
    return error as HoldfastError;
  }
  throw new Error("The call was accepted.");
}

/** The call that the remedy shows, as code. */
const form = (call: string): string => `\`${call}\``;
const ofUser = form("server.user(id).disconnect({ where })");
const codes = "4403";
const pattern = form("{ where: { claims: { login } } }");
const allCalls: readonly CallName[] = [
  "user.disconnect",
  "session(id).disconnect",
  "session.disconnect",
  "session(id).revoke",
];

const byPosition: readonly (readonly [CallName, given: readonly unknown[], named: string, remedy: string])[] = [
  ...(["user.disconnect", "session(id).disconnect", "session.disconnect"] as const).flatMap((call) => [
    [call, [4403, "x"], "number, string", form('disconnect({ code: 4403, reason: "x" })')] as const,
    [call, [4403], "number", form("disconnect({ code: 4403 })")] as const,
  ]),
  [
    "user.disconnect",
    [4403, "x", { where: { claims: "home" } }],
    "number, string, object",
    form('disconnect({ code: 4403, reason: "x", where })'),
  ],
  [
    // If the other arguments were ignored, this call would end all sessions of the user.
    "user.disconnect",
    [undefined, undefined, { where: { claims: "home" } }],
    "object, undefined, object",
    form("disconnect({ code, reason, where })"),
  ],
  [
    // `code` must be a number, so a remedy with `code: "logged out"` would not work either.
    "user.disconnect",
    ["logged out"],
    "string",
    form('disconnect({ reason: "logged out" })'),
  ],
  [
    "session(id).disconnect",
    ["logged out", 4403],
    "string, number",
    form('disconnect({ reason: "logged out", code: 4403 })'),
  ],
  ["session.disconnect", [99, 7], "number, number", form("disconnect({ code, reason })")],
  ["session(id).revoke", [4401], "number", form("revoke({ reason })")],
  ["session(id).revoke", ["stolen"], "string", form('revoke({ reason: "stolen" })')],
];

class Ending {
  readonly code = 4403;
}
const noOptions: readonly (readonly [options: unknown, kind: string])[] = [
  [Promise.resolve({ where: { claims: "home" } }), "Promise"],
  [new Map([["code", 4403]]), "Map"],
  [new Date(0), "Date"],
  [new URLSearchParams("code=4403"), "URLSearchParams"],
  [[], "array"],
  [new Ending(), "Ending"],
  [Object.create({ code: 4403 }), "Object"],
];

const wrongOptions: readonly (readonly [
  calls: readonly CallName[],
  options: unknown,
  field: string,
  named: string,
  remedy: string,
])[] = [
  [["user.disconnect"], null, "options", "null", form("disconnect({ code })")],
  [["user.disconnect"], [4403], "options", "array", form("disconnect({ code })")],
  // These values have no property with the name of an option. If accepted, such a value would end
  // all sessions with the defaults.
  ...noOptions.map(
    ([options, kind]) => [allCalls.slice(0, 3), options, "options", kind, form("disconnect({ code })")] as const,
  ),
  ...noOptions.map(
    ([options, kind]) => [["session(id).revoke"], options, "options", kind, form("revoke({ reason })")] as const,
  ),
  [["user.disconnect"], { wher: {} }, "wher", "code, reason, where", ""],
  [["session(id).disconnect", "session.disconnect"], { where: {} }, "where", "code, reason", ofUser],
  [["session(id).revoke"], { where: {} }, "where", "reason", ofUser],
  [["session(id).revoke"], { code: 4403 }, "code", "reason", form("disconnect({ code, reason })")],
  [allCalls.slice(0, 3), { code: "4403" }, "code", "string", codes],
  [allCalls.slice(0, 3), { code: null }, "code", "null", codes],
  [allCalls.slice(0, 3), { code: 1006 }, "code", "1006", codes],
  [allCalls, { reason: 7 }, "reason", "number", ""],
  [allCalls, { reason: null }, "reason", "null", ""],
  // If accepted, a falsy condition would match all sessions.
  ...[null, 0, "", false].map(
    (where) => [["user.disconnect"], { where }, "where", where === null ? "null" : typeof where, pattern] as const,
  ),
  [["user.disconnect"], { where: {} }, "where", "", pattern],
  ...[...noOptions, [["home"], "array"] as const].map(
    ([where, kind]) => [["user.disconnect"], { where }, "where", kind, pattern] as const,
  ),
];

/** An error whose message contains each word of `named`, and whose remedy contains `remedy`. */
function refusal(field: string, named: string, remedy: string) {
  const words = named.split(", ").map((word) => `(?=[^]*\\b${word}\\b)`);
  return {
    code: "INVALID_OPTION",
    field,
    message: expect.stringMatching(new RegExp(`^${words.join("")}`)) as unknown,
    remedy: expect.stringContaining(remedy) as unknown,
  };
}

describe("disconnect and revoke", () => {
  test.each(byPosition)(
    "[SN19] %s(...%j) is refused with a remedy that shows the object form, and ends no session",
    async (name, given, named, remedy) => {
      const { calls, peer, harness } = await setUp();
      const error = await errorOf(calls[name], given);
      expect(error).toMatchObject(refusal("options", named, remedy));
      await harness.settle();
      expect(peer.closed).toBeUndefined();
    },
  );

  test.each(wrongOptions)(
    "[SN19] %j with the options %j is refused with the field %s, and ends no session",
    async (names, options, field, named, remedy) => {
      const { calls, peer, harness } = await setUp();
      for (const name of names)
        expect(await errorOf(calls[name], [options])).toMatchObject(refusal(field, named, remedy));
      await harness.settle();
      expect(peer.closed).toBeUndefined();
    },
  );

  test.each([
    ["user.disconnect", {}, { code: 4403, reason: expect.any(String) }],
    ["user.disconnect", { code: undefined, where: undefined }, { code: 4403, reason: expect.any(String) }],
    ["session(id).disconnect", { code: 4800 }, { code: 4800, reason: expect.any(String) }],
    ["session.disconnect", { reason: "over" }, { code: 4403, reason: "over" }],
    ["session.disconnect", runInNewContext("({ code: 4800 })"), { code: 4800, reason: expect.any(String) }],
    [
      "user.disconnect",
      Object.assign(Object.create(null), { reason: "over", where: runInNewContext("({ userId: 'u1' })") }),
      { code: 4403, reason: "over" },
    ],
    ["session(id).revoke", { reason: "stolen" }, { code: 4401, reason: "stolen" }],
  ] as [CallName, options: unknown, closed: object][])(
    "[SN5] %s(%j) ends the session, with defaults for missing options",
    async (name, options, closed) => {
      const { calls, peer, server, harness } = await setUp();
      await calls[name](options);
      await harness.settle();
      expect(peer.closed).toEqual(closed);
      expect(server.sessions()).toEqual([]);
    },
  );
});
