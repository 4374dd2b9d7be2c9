import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import { saying } from "../test/saying.js";
import { channelId, parseChannel } from "./channel-id.js";
import { isDeclaredError } from "./declared-error.js";
import { defineProtocol, isProtocol } from "./define-protocol.js";
import { HoldfastError } from "./errors.js";

const agents = defineProtocol({
  name: "agents",
  version: "1.0.0",
  requests: {
    "agent.stop": { input: z.object({ id: z.string() }), errors: { UNKNOWN_AGENT: z.object({ id: z.string() }) } },
  },
  channels: {
    metrics: { events: { sampled: z.number() } },
    board: { key: z.string().check(z.maxLength(255)), events: { drawn: z.string() } },
    room: { key: z.uuid(), events: { said: z.string() } },
  },
});

describe("a protocol", () => {
  test("[PR6] `isProtocol` recognises a protocol by its brand, even if another copy of the package made it", () => {
    expect(isProtocol(agents)).toBe(true);
    expect(isProtocol({ [Symbol.for("holdfast.protocol")]: true })).toBe(true);
    for (const other of [undefined, null, {}, { ...agents }, "agents", () => agents])
      expect(isProtocol(other)).toBe(false);
  });

  test("[PR3] a protocol finds no request and no channel by the name of an inherited property", () => {
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
      expect(agents.requests.get(name)).toBeUndefined();
      expect(parseChannel(agents, name).ok).toBe(false);
    }
  });

  test("[PR6] a protocol is frozen", () => {
    expect(Object.isFrozen(agents)).toBe(true);
  });
});

describe("the name of a channel", () => {
  test("[PR4] `parseChannel` and `channelId` accept a name, or a name and a key", () => {
    expect(parseChannel(agents, "metrics")).toMatchObject({ ok: true, value: { key: undefined, wire: "metrics" } });
    expect(parseChannel(agents, "board:a:b")).toMatchObject({ ok: true, value: { key: "a:b", wire: "board:a:b" } });
    expect(channelId(agents, "board", "7c1f")).toMatchObject({ ok: true, value: { wire: "board:7c1f" } });
  });

  test.each([
    ["nope", "nope", "agents"],
    ["", '""', "agents"],
    [":key", '""', "agents"],
    ["$all", "$all", "agents"],
    ["metrics:1", "metrics"],
    ["metrics:", "metrics"],
    ["board", "board"],
    ["room:1", "room", "uuid"],
    ["board:", "board", "ASCII", "255"],
    ["board:a b", "board", "ASCII"],
    ["board:naïve", "board", "ASCII"],
    [`board:${"x".repeat(250)}`, "board", "255"],
  ])("[PR4] `parseChannel` refuses %j and names the reason", (wire, ...facts) => {
    expect(parseChannel(agents, wire)).toEqual({ ok: false, fault: { field: "channel", message: saying(...facts) } });
  });

  test("[PR4] `parseChannel` accepts 255 characters, the longest channel name", () => {
    const longest = `board:${"x".repeat(249)}`;
    expect(longest.length).toBe(255);
    expect(parseChannel(agents, longest)).toMatchObject({ ok: true, value: { wire: longest } });
  });
});

test("[PR5] `isDeclaredError` is true only for an error that the request declares", () => {
  const declared = new HoldfastError("UNKNOWN_AGENT", "No such agent.", { data: { id: "a1" } });
  expect(isDeclaredError(agents, "agent.stop", declared)).toBe(true);
  expect(isDeclaredError(agents, "agent.stop", new HoldfastError("TIMEOUT", "Too late."))).toBe(false);
  expect(isDeclaredError(agents, "agent.stop", new Error("UNKNOWN_AGENT"))).toBe(false);
  expect(isDeclaredError(agents, "agent.stop", { code: "UNKNOWN_AGENT" })).toBe(false);
});
