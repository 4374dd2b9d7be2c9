import { runInNewContext } from "node:vm";
import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import { saying } from "../../test/saying.js";
import { dehydrate } from "../codec/dehydrate.js";
import { defineProtocol } from "../define-protocol.js";
import { closeCode } from "../close-codes.js";
import { serverMessages, wireMessages } from "../wire-messages.js";
import { errorCodes } from "../error-codes.js";
import { serverFrames } from "../server-frames.js";
import { channelFault } from "./channel-fault.js";
import { meaningOf } from "./close-meanings.js";
import { encodeValue } from "./encode-value.js";
import { remedyOf as pageRemedyOf } from "./error-codes.js";
import { describeIssue, restoreFault, thrownFault, undeclaredFault, wording } from "./issues.js";
import { revive } from "./rich-values.js";
import { readSchema } from "./schema.js";
import { serverFrames as pageFrames } from "./server-frames.js";

const { restored } = readSchema();

const throwNull = (): never => {
  // oxlint-disable-next-line no-throw-literal, typescript/only-throw-error -- an application may throw anything
  throw null;
};

describe("the stand-ins of a page's production build", () => {
  test("[PG1] `decode` reads every message of a server as the full build does", () => {
    const examples = wireMessages.filter((row) => row.sentBy === "server").map((row) => JSON.stringify(row.example));
    expect(examples).toHaveLength(Object.keys(serverMessages).length);
    for (const text of examples) expect(pageFrames().decode(text)).toEqual(serverFrames().decode(text));
  });

  test.each(["", "{", "null", "5", "[]", '{"__proto__":{"polluted":1}}', '{"\\u005f_proto__":{"polluted":1}}'])(
    "[PG2] `decode` refuses the frame %j",
    (frame) => {
      expect(pageFrames().decode(frame).ok).toBe(false);
      expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    },
  );

  test("[PG3] `revive` restores every rich value that a server can send", () => {
    const value = {
      at: new Date(5),
      big: 12n,
      map: new Map([["a", new Date(6)]]),
      set: new Set([new Date(7)]),
      none: undefined,
    };
    const { data, meta } = dehydrate(value);
    expect(revive(JSON.parse(JSON.stringify(data)), JSON.parse(JSON.stringify(meta)), restored)).toEqual(value);
  });

  test.each([
    [{ a: 1_000_000_000 }, { values: { a: [["typed-array", "Uint8Array"]] } }],
    [{ a: "/x/" }, { values: { a: ["regexp"] } }],
    [{ a: {} }, { values: { a: [["class", "Foo"]] } }],
    [{ a: [] }, { values: { a: ["set", { 0: [["custom", "foo"]] }] } }],
  ])("[PG4] `revive` refuses a type outside the closed list: %j with %j", (data, meta) => {
    expect(() => revive(data, meta, restored)).toThrow(/^(typed-array|regexp|class|custom)$/);
  });

  test.each([{ a: null }, { a: 5 }, { a: [["Date"]] }, { a: ["set", "Date"] }, "regexp"])(
    "[PG4] `revive` refuses malformed annotations: %j",
    (values) => {
      expect(() => revive({ a: ["x"] }, { values }, restored)).toThrow(Error);
    },
  );

  test("[PG4] `restoreFault` names the field and keeps the error as the cause", () => {
    expect(restoreFault("meta", new Error("names the type regexp"))).toMatchObject({
      field: "meta",
      message: saying("meta: "),
      cause: { message: "names the type regexp" },
    });
  });

  test("[PG5] `undeclaredFault` and `thrownFault` name the field", () => {
    expect(undeclaredFault("input")).toEqual({ field: "input", message: saying("input: ") });
    const cause = new Error("secret");
    expect(thrownFault("input", cause)).toEqual({ field: "input", message: saying("input: "), cause });
  });

  test.each([
    [{ items: [{ at: () => 1 }] }, "data.items.0.at"],
    [{ ids: new Set([1, Symbol("a")]) }, "data.ids.1"],
    [{ at: new Date(Number.NaN) }, "data.at"],
    [{ by: new Map([["a", /a/]]) }, "data.by.0.1"],
  ])("[PG8] `encodeValue` refuses a value that would not arrive unchanged, and names the field: %j", (value, field) => {
    expect(encodeValue(value, "data")).toEqual({
      ok: false,
      fault: { field, message: saying(`${field}: `) },
    });
  });

  test.each([
    ["throws `null` from a getter", Object.defineProperty({}, "a", { enumerable: true, get: throwNull }), "data"],
    ["comes from another realm", runInNewContext("({})") as unknown, "data"],
    ["has a member with a reserved name", { prototype: 1 }, "data.prototype"],
  ])("[PG8] `encodeValue` refuses a value that %s", (_name, value, field) => {
    expect(encodeValue(value, "data")).toMatchObject({ ok: false, fault: { field } });
  });

  test("[PG5] `describeIssue` names the field and the expected type", () => {
    const schema = z.object({ items: z.array(z.object({ at: z.string() })) });
    const { error } = z.safeParse(schema, { items: [{ at: 5 }] }, wording);
    expect(describeIssue(error!.issues, "data")).toEqual({
      field: "data.items.0.at",
      message: saying("data.items.0.at: ", "string"),
    });
  });
});

test("[PG5] `channelFault` names the invalid channel", () => {
  expect(channelFault(defineProtocol({ name: "a", version: "1.0.0" }), "board")).toContain("board");
});

test("[PG9] `meaningOf` names the close code and its number", () => {
  expect(meaningOf(4429, closeCode(4429).name)).toEqual(saying("RATE_LIMITED", "4429"));
  expect(meaningOf(3000, closeCode(3000).name)).toEqual(saying("UNKNOWN", "3000"));
});

test("[WR16] a reset with a reason of a newer server is read as a reset with the reason `server`", () => {
  const frame = JSON.stringify({ type: "reset", channel: "a", data: { reason: "moved" } });
  expect(serverFrames().decode(frame)).toMatchObject({ ok: true, message: { data: { reason: "server" } } });
});

test("[PG6] `remedyOf` returns no remedy for any code", () => {
  expect(errorCodes.map(({ code }) => pageRemedyOf(code))).toEqual(errorCodes.map(() => undefined));
});
