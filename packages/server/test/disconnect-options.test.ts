import { describe, expect, test } from "vitest";
import type { HoldfastError } from "@holdfast/protocol";
import { createPlayer, sessionOf } from "./player.js";

type Call = (...given: readonly unknown[]) => unknown;

/** The calls that end sessions, taken from their types: in JavaScript nothing else stands before them. */
async function setUp() {
  const { server, world, connect } = createPlayer();
  const peer = await connect("u1");
  const [session] = server.sessions();
  const [user, handle] = [server.user("u1"), server.session(sessionOf(peer))];
  const calls = {
    "user.disconnect": user.disconnect.bind(user) as Call,
    "session(id).disconnect": handle.disconnect.bind(handle) as Call,
    "session.disconnect": session!.disconnect.bind(session) as Call,
    "session(id).revoke": handle.revoke.bind(handle) as Call,
  };
  return { calls, peer, server, world };
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
      "disconnect: options: expected one object, received number, string.",
      form('disconnect({ code: 4403, reason: "x" })'),
    ] as const,
    [
      call,
      [4403],
      "disconnect: options: expected one object, received number.",
      form("disconnect({ code: 4403 })"),
    ] as const,
  ]),
  [
    "user.disconnect",
    [4403, "x", { where: { claims: "home" } }],
    "disconnect: options: expected one object, received number, string, object.",
    form('disconnect({ code: 4403, reason: "x", where })'),
  ],
  [
    // Without a look at the other arguments this would end all sessions of the user.
    "user.disconnect",
    [undefined, undefined, { where: { claims: "home" } }],
    "disconnect: options: expected one object, received object, undefined, object.",
    form("disconnect({ code, reason, where })"),
  ],
  [
    "session(id).revoke",
    ["stolen"],
    "revoke: options: expected one object, received string.",
    form('revoke({ reason: "stolen" })'),
  ],
];

const wrongOptions: readonly (readonly [
  calls: readonly CallName[],
  options: unknown,
  field: string,
  sentence: string,
  remedy: string,
])[] = [
  [["user.disconnect"], null, "options", "expected one object, received null", form("disconnect({ code })")],
  [["user.disconnect"], [4403], "options", "expected one object, received array", form("disconnect({ code })")],
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
        `expected an object or a function, received ${where === null ? "null" : typeof where}`,
        pattern,
      ] as const,
  ),
  [["user.disconnect"], { where: {} }, "where", "names nothing", pattern],
];

describe("a call that ends sessions", () => {
  test.each(byPosition)(
    "[SN19] %s(...%j) shows the form that takes an object, and ends nothing",
    async (name, given, sentence, remedy) => {
      const { calls, peer, world } = await setUp();
      const error = await errorOf(calls[name], given);
      expect(error).toMatchObject({ code: "INVALID_OPTION", field: "options", message: sentence, remedy });
      await world.settle();
      expect(peer.closed).toBeUndefined();
    },
  );

  test.each(wrongOptions)(
    "[SN19] %j with %j refuses the field %s, and ends nothing",
    async (names, options, field, sentence, remedy) => {
      const { calls, peer, world } = await setUp();
      for (const name of names) {
        const verb = name.slice(name.lastIndexOf(".") + 1);
        const message = `${verb}: ${field}: ${sentence}.`;
        expect(await errorOf(calls[name], [options])).toMatchObject({ code: "INVALID_OPTION", field, message, remedy });
      }
      await world.settle();
      expect(peer.closed).toBeUndefined();
    },
  );

  test.each([
    ["user.disconnect", {}, { code: 4403, reason: "disconnected by the server" }],
    ["user.disconnect", { code: undefined, where: undefined }, { code: 4403, reason: "disconnected by the server" }],
    ["session(id).disconnect", { code: 4800 }, { code: 4800, reason: "disconnected by the server" }],
    ["session.disconnect", { reason: "over" }, { code: 4403, reason: "over" }],
    ["session(id).revoke", { reason: "stolen" }, { code: 4401, reason: "stolen" }],
  ] as const)("[SN5] %s(%j) takes its defaults for what is left out", async (name, options, closed) => {
    const { calls, peer, server, world } = await setUp();
    await calls[name](options);
    await world.settle();
    expect(peer.closed).toEqual(closed);
    expect(server.sessions()).toEqual([]);
  });
});
