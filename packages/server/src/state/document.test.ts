import { expect, test } from "vitest";
import { jsonCopy } from "./document.js";

test("[SD2] a copy has everything that JSON has made, shares nothing with it, and gets no prototype from it", () => {
  const text = '{"a":[1,{"b":null},[]],"c":{"d":"e","constructor":{"f":true}},"g":{}}';
  const value = JSON.parse(text) as { a: unknown[]; c: object };
  const copy = jsonCopy(value) as typeof value;
  expect(JSON.stringify(copy)).toBe(text);
  for (const [one, other] of [
    [copy, value],
    [copy.a, value.a],
    [copy.a[1], value.a[1]],
    [copy.c, value.c],
  ])
    expect(one).not.toBe(other);
  const foreign = jsonCopy(JSON.parse('{"__proto__":{"isAdmin":true},"name":"x"}')) as { isAdmin?: boolean };
  expect(foreign.isAdmin).toBeUndefined();
  expect(Object.getPrototypeOf(foreign)).toBe(Object.prototype);
  expect(foreign).toEqual({ name: "x" });
});
