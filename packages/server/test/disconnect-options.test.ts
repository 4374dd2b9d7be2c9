import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import type { HoldfastError } from "@holdfast/protocol";
import { identityServer, sessionOf } from "./support/identity-server.js";

type Call = (...given: readonly unknown[]) => unknown;

/**
 * The calls that end sessions, taken from their types: in JavaScript nothing else stands before
 * them.
 */
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

/** Thrown by `session.disconnect`, and the reason of a rejection of all others. */
async function errorOf(call: Call, given: readonly unknown[]): Promise<HoldfastError> {
  try {
    await call(...given);
  } catch (error) {
    return error as HoldfastError;
  }
  throw new Error("it was accepted");
}

const ofUser = "Use `server.user(id).disconnect({ where })`, which chooses among the sessions of a user.";
const codes = "Pass 4403 or 4900 to 4999 to stop the client, or 4800 to 4899 to make it retry.";
const pattern = "Pass what the identity must have, such as `{ where: { claims: { login } } }`.";
const form = (call: string): string => `Pass the options by their names: \`${call}\`.`;
const allCalls: readonly CallName[] = [
  "user.disconnect",
  "session(id).disconnect",
  "session.disconnect",
  "session(id).revoke",
];

const byPosition: readonly (readonly [CallName, given: readonly unknown[], sentence: string, remedy: string])[] = [
  ...(["user.disconnect", "session(id).disconnect", "session.disconnect"] as const).flatMap((call) => [
    [
      call,
      [4403, "x"],
      "disconnect: options: expected one plain object, received number, string.",
      form('disconnect({ code: 4403, reason: "x" })'),
    ] as const,
    [
      call,
      [4403],
      "disconnect: options: expected one plain object, received number.",
      form("disconnect({ code: 4403 })"),
    ] as const,
  ]),
  [
    "user.disconnect",
    [4403, "x", { where: { claims: "home" } }],
    "disconnect: options: expected one plain object, received number, string, object.",
    form('disconnect({ code: 4403, reason: "x", where })'),
  ],
  [
    // Without a look at the other arguments this would end all sessions of the user.
    "user.disconnect",
    [undefined, undefined, { where: { claims: "home" } }],
    "disconnect: options: expected one plain object, received object, undefined, object.",
    form("disconnect({ code, reason, where })"),
  ],
  [
    // The code takes no text, so a form with `code: "logged out"` would be refused as well.
    "user.disconnect",
    ["logged out"],
    "disconnect: options: expected one plain object, received string.",
    form('disconnect({ reason: "logged out" })'),
  ],
  [
    "session(id).disconnect",
    ["logged out", 4403],
    "disconnect: options: expected one plain object, received string, number.",
    form('disconnect({ reason: "logged out", code: 4403 })'),
  ],
  [
    "session.disconnect",
    [99, 7],
    "disconnect: options: expected one plain object, received number, number.",
    form("disconnect({ code, reason })"),
  ],
  [
    "session(id).revoke",
    [4401],
    "revoke: options: expected one plain object, received number.",
    form("revoke({ reason })"),
  ],
  [
    "session(id).revoke",
    ["stolen"],
    "revoke: options: expected one plain object, received string.",
    form('revoke({ reason: "stolen" })'),
  ],
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
  sentence: string,
  remedy: string,
])[] = [
  [["user.disconnect"], null, "options", "expected one plain object, received null", form("disconnect({ code })")],
  [["user.disconnect"], [4403], "options", "expected one plain object, received array", form("disconnect({ code })")],
  // Each has no member with the name of an option, and once ended all sessions with the defaults.
  ...noOptions.map(
    ([options, kind]) =>
      [
        allCalls.slice(0, 3),
        options,
        "options",
        `expected one plain object, received ${kind}`,
        form("disconnect({ code })"),
      ] as const,
  ),
  ...noOptions.map(
    ([options, kind]) =>
      [
        ["session(id).revoke"],
        options,
        "options",
        `expected one plain object, received ${kind}`,
        form("revoke({ reason })"),
      ] as const,
  ),
  [
    ["user.disconnect"],
    { wher: {} },
    "wher",
    "is not an option; there are code, reason, where",
    "Correct the name, or leave it out.",
  ],
  [
    ["session(id).disconnect", "session.disconnect"],
    { where: {} },
    "where",
    "is not an option; there are code, reason",
    ofUser,
  ],
  [["session(id).revoke"], { where: {} }, "where", "is not an option; there is reason", ofUser],
  [
    ["session(id).revoke"],
    { code: 4403 },
    "code",
    "is not an option; there is reason",
    "Use `disconnect({ code, reason })` to choose the code.",
  ],
  [allCalls.slice(0, 3), { code: "4403" }, "code", "expected a close code, received string", codes],
  [allCalls.slice(0, 3), { code: null }, "code", "expected a close code, received null", codes],
  [allCalls.slice(0, 3), { code: 1006 }, "code", "1006 is not a close code that may be sent", codes],
  [allCalls, { reason: 7 }, "reason", "expected a string, received number", "Pass a string, or leave it out."],
  [allCalls, { reason: null }, "reason", "expected a string, received null", "Pass a string, or leave it out."],
  // What is falsy would otherwise mean all sessions.
  ...[null, 0, "", false].map(
    (where) =>
      [
        ["user.disconnect"],
        { where },
        "where",
        `expected a plain object or a function, received ${where === null ? "null" : typeof where}`,
        pattern,
      ] as const,
  ),
  [["user.disconnect"], { where: {} }, "where", "names nothing", pattern],
  ...[...noOptions, [["home"], "array"] as const].map(
    ([where, kind]) =>
      [
        ["user.disconnect"],
        { where },
        "where",
        `expected a plain object or a function, received ${kind}`,
        pattern,
      ] as const,
  ),
];

describe("a call that ends sessions", () => {
  test.each(byPosition)(
    "[SN19] %s(...%j) shows the form that takes an object, and ends nothing",
    async (name, given, sentence, remedy) => {
      const { calls, peer, harness } = await setUp();
      const error = await errorOf(calls[name], given);
      expect(error).toMatchObject({ code: "INVALID_OPTION", field: "options", message: sentence, remedy });
      await harness.settle();
      expect(peer.closed).toBeUndefined();
    },
  );

  test.each(wrongOptions)(
    "[SN19] %j with %j refuses the field %s, and ends nothing",
    async (names, options, field, sentence, remedy) => {
      const { calls, peer, harness } = await setUp();
      for (const name of names) {
        const verb = name.slice(name.lastIndexOf(".") + 1);
        const message = `${verb}: ${field}: ${sentence}.`;
        expect(await errorOf(calls[name], [options])).toMatchObject({ code: "INVALID_OPTION", field, message, remedy });
      }
      await harness.settle();
      expect(peer.closed).toBeUndefined();
    },
  );

  test.each([
    ["user.disconnect", {}, { code: 4403, reason: "disconnected by the server" }],
    ["user.disconnect", { code: undefined, where: undefined }, { code: 4403, reason: "disconnected by the server" }],
    ["session(id).disconnect", { code: 4800 }, { code: 4800, reason: "disconnected by the server" }],
    ["session.disconnect", { reason: "over" }, { code: 4403, reason: "over" }],
    ["session.disconnect", runInNewContext("({ code: 4800 })"), { code: 4800, reason: "disconnected by the server" }],
    [
      "user.disconnect",
      Object.assign(Object.create(null), { reason: "over", where: runInNewContext("({ userId: 'u1' })") }),
      { code: 4403, reason: "over" },
    ],
    ["session(id).revoke", { reason: "stolen" }, { code: 4401, reason: "stolen" }],
  ] as [CallName, options: unknown, closed: object][])(
    "[SN5] %s(%j) takes its defaults for what is left out",
    async (name, options, closed) => {
      const { calls, peer, server, harness } = await setUp();
      await calls[name](options);
      await harness.settle();
      expect(peer.closed).toEqual(closed);
      expect(server.sessions()).toEqual([]);
    },
  );
});
