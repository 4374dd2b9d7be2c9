import { describe, expect, test } from "vitest";
import { closeCode, closeCodes, closeNumber } from "./close-codes.js";
import { saying } from "../test/saying.js";
import { errorCodes, remedyOf } from "./error-codes.js";
import { HoldfastError, isHoldfastError, toWire } from "./errors.js";
import { links } from "./links.js";

describe("close codes", () => {
  test("[WR13] every number has a row, and unknown ones retry", () => {
    for (let code = 0; code < 5_100; code++) {
      const row = closeCode(code);
      expect(row.code).toBe(code);
      expect([row.name, row.action]).not.toEqual(["UNKNOWN", expect.stringMatching(/^(?!retry$)/)]);
    }
  });

  test("[WR13] applications own 4800 to 4899, which retry, and 4900 to 4999, which stop", () => {
    expect(
      [4_799, 4_800, 4_899, 4_900, 4_999, 5_000].map((code) => [closeCode(code).name, closeCode(code).action]),
    ).toEqual([
      ["UNKNOWN", "retry"],
      ["APPLICATION_RETRY", "retry"],
      ["APPLICATION_RETRY", "retry"],
      ["APPLICATION_STOP", "stop"],
      ["APPLICATION_STOP", "stop"],
      ["UNKNOWN", "retry"],
    ]);
  });

  test("[WR13] what a client does after each, as a whole", () => {
    expect(closeCodes.map(({ code, action }) => `${code} ${action}`)).toEqual([
      "1000 stop",
      "1001 retry",
      "1002 retry",
      "1006 retry",
      "1007 retry",
      "1008 stop",
      "1009 retry",
      "1011 retry",
      "1012 retry_after",
      "1013 retry_after",
      "4400 stop",
      "4401 new_token",
      "4403 stop",
      "4406 stop",
      "4408 retry",
      "4409 stop",
      "4413 retry",
      "4429 retry_after",
    ]);
  });

  test("[WR13] numbers and names are unique, and a name gives its number", () => {
    expect(new Set(closeCodes.map(({ code }) => code)).size).toBe(closeCodes.length);
    expect(new Set(closeCodes.map(({ name }) => name)).size).toBe(closeCodes.length);
    for (const { code, name } of closeCodes) expect(closeNumber[name]).toBe(code);
  });

  test("[WR13] each row has a meaning of its own", () => {
    const meanings = closeCodes.map(({ meaning }) => meaning);
    expect(new Set(meanings).size).toBe(closeCodes.length);
    expect(closeCodes.filter(({ code, meaning }) => meaning.includes(String(code)))).toEqual([]);
    expect(closeCode(4_800).meaning).toBe(closeCode(4_999).meaning);
    expect(closeCode(5_000).meaning).toEqual(saying("5000"));
  });

  test("[WR13] the library's own numbers stay out of the applications' ranges", () => {
    for (const { code } of closeCodes) expect(code < 4_800).toBe(true);
  });

  test("[WR13] what is sent as a close code may be sent: not reserved, and with a reason of 123 bytes at most", () => {
    const reserved = [1_004, 1_005, 1_006, 1_015];
    // 1006 is never sent: it is what a client sees when nothing was.
    for (const { code, meaning } of closeCodes.filter((row) => row.code !== 1_006)) {
      expect(reserved).not.toContain(code);
      expect(new TextEncoder().encode(meaning).length).toBeLessThanOrEqual(123);
    }
  });
});

describe("errors", () => {
  test("[WR14] every code says when it happens and what to do, in sentences", () => {
    expect(new Set(errorCodes.map(({ code }) => code)).size).toBe(errorCodes.length);
    for (const { code, meaning, remedy } of errorCodes) {
      expect(code).toMatch(/^[A-Z][A-Z_]+$/);
      expect(meaning).toMatch(/^[A-Z].+\.$/);
      expect(remedy).toMatch(/^[A-Z].+\.$/);
    }
    expect(remedyOf("UNKNOWN_AGENT")).toBeUndefined();
    expect(remedyOf("constructor")).toBeUndefined();
  });

  test("[WR14] what crosses the wire has no stack and no cause", () => {
    const cause = new Error("password is hunter2");
    const error = new HoldfastError("INTERNAL", "It failed.", {
      cause,
      field: "input.a",
      retryAfterMs: 5,
      data: { id: 1 },
    });
    expect(toWire(error)).toEqual({
      code: "INTERNAL",
      message: "It failed.",
      field: "input.a",
      remedy: remedyOf("INTERNAL"),
      retry_after_ms: 5,
      data: { id: 1 },
    });
    expect(JSON.stringify(toWire(error))).not.toMatch(/hunter2|stack|at /);
  });

  test("[WR14] an error is the same after it has crossed the wire", () => {
    const error = new HoldfastError("NO_ROOM", "Full.", { field: "input", remedy: "Wait.", retryAfterMs: 0, data: [] });
    const arrived = HoldfastError.fromWire(toWire(error));
    expect({ ...arrived }).toEqual({ ...error });
    expect(isHoldfastError(arrived)).toBe(true);
  });

  test("[WR14] an error made by another copy of the package is recognised", () => {
    expect(isHoldfastError(Object.assign(new Error("x"), { [Symbol.for("holdfast.error")]: true }))).toBe(true);
    for (const other of [new Error("x"), null, undefined, "x", {}]) expect(isHoldfastError(other)).toBe(false);
  });
});

test("[WR15] an event follows a position by its offset and by the id of the event before it, never by one alone", () => {
  const position = { epoch: "e", offset: 41, id: "a41" };
  expect(links(position, { offset: 42, id: "a42", prev: "a41" })).toBe(true);
  expect(links(position, { offset: 42, id: "b42", prev: "b41" })).toBe(false);
  expect(links(position, { offset: 43, id: "a43", prev: "a41" })).toBe(false);
  expect(links({ epoch: "e", offset: 0, id: "" }, { offset: 1, id: "a1", prev: "" })).toBe(true);
});
