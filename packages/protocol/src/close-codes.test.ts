import { describe, expect, test } from "vitest";
import { closeCode, closeCodes, closeNumber } from "./close-codes.js";
import { saying } from "../test/saying.js";
import { errorCodes, remedyOf } from "./error-codes.js";
import { HoldfastError, isHoldfastError, toWire } from "./errors.js";
import { links } from "./links.js";

describe("close codes", () => {
  test("[WR13] `closeCode` has a row for every number, and an unknown code is retried", () => {
    for (let code = 0; code < 5_100; code++) {
      const row = closeCode(code);
      expect(row.code).toBe(code);
      expect([row.name, row.action]).not.toEqual(["UNKNOWN", expect.stringMatching(/^(?!retry$)/)]);
    }
  });

  test("[WR13] codes of the application are retried from 4800 to 4899, and stop the client from 4900 to 4999", () => {
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

  test("[WR13] the table lists the action of the client after each close code", () => {
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

  test("[WR13] codes and names are unique, and `closeNumber` gives the code of a name", () => {
    expect(new Set(closeCodes.map(({ code }) => code)).size).toBe(closeCodes.length);
    expect(new Set(closeCodes.map(({ name }) => name)).size).toBe(closeCodes.length);
    for (const { code, name } of closeCodes) expect(closeNumber[name]).toBe(code);
  });

  test("[WR13] each row has a distinct meaning", () => {
    const meanings = closeCodes.map(({ meaning }) => meaning);
    expect(new Set(meanings).size).toBe(closeCodes.length);
    expect(closeCodes.filter(({ code, meaning }) => meaning.includes(String(code)))).toEqual([]);
    expect(closeCode(4_800).meaning).toBe(closeCode(4_999).meaning);
    expect(closeCode(5_000).meaning).toEqual(saying("5000"));
  });

  test("[WR13] no code of Holdfast lies in the ranges of the application", () => {
    for (const { code } of closeCodes) expect(code < 4_800).toBe(true);
  });

  test("[WR13] every code that is sent is not reserved, and its meaning fits into the 123 bytes of a close reason", () => {
    const reserved = [1_004, 1_005, 1_006, 1_015];
    // 1006 is never sent: a client reports it if the connection ended without a close frame.
    for (const { code, meaning } of closeCodes.filter((row) => row.code !== 1_006)) {
      expect(reserved).not.toContain(code);
      expect(new TextEncoder().encode(meaning).length).toBeLessThanOrEqual(123);
    }
  });
});

describe("errors", () => {
  test("[WR14] every error code has a meaning and a remedy, in sentences", () => {
    expect(new Set(errorCodes.map(({ code }) => code)).size).toBe(errorCodes.length);
    for (const { code, meaning, remedy } of errorCodes) {
      expect(code).toMatch(/^[A-Z][A-Z_]+$/);
      expect(meaning).toMatch(/^[A-Z].+\.$/);
      expect(remedy).toMatch(/^[A-Z].+\.$/);
    }
    expect(remedyOf("UNKNOWN_AGENT")).toBeUndefined();
    expect(remedyOf("constructor")).toBeUndefined();
  });

  test("[WR14] `toWire` leaves out the stack and the cause", () => {
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

  test("[WR14] `fromWire` restores the error that `toWire` wrote", () => {
    const error = new HoldfastError("NO_ROOM", "Full.", { field: "input", remedy: "Wait.", retryAfterMs: 0, data: [] });
    const arrived = HoldfastError.fromWire(toWire(error));
    expect({ ...arrived }).toEqual({ ...error });
    expect(isHoldfastError(arrived)).toBe(true);
  });

  test("[WR14] `isHoldfastError` recognises an error that another copy of the package made", () => {
    expect(isHoldfastError(Object.assign(new Error("x"), { [Symbol.for("holdfast.error")]: true }))).toBe(true);
    for (const other of [new Error("x"), null, undefined, "x", {}]) expect(isHoldfastError(other)).toBe(false);
  });
});

test("[WR15] `links` is true only if both the offset and the previous id of an event match the position", () => {
  const position = { epoch: "e", offset: 41, id: "a41" };
  expect(links(position, { offset: 42, id: "a42", prev: "a41" })).toBe(true);
  expect(links(position, { offset: 42, id: "b42", prev: "b41" })).toBe(false);
  expect(links(position, { offset: 43, id: "a43", prev: "a41" })).toBe(false);
  expect(links({ epoch: "e", offset: 0, id: "" }, { offset: 1, id: "a1", prev: "" })).toBe(true);
});
