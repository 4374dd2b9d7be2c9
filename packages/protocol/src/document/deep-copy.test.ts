import { expect, test } from "vitest";
import { deepCopy } from "./deep-copy.js";

test("[SD2] `deepCopy` copies every type of a document, shares no object with the original, and sets no prototype", () => {
  const value = {
    list: [1, { b: null }, []],
    named: { d: "e", constructor: { f: true } },
    at: new Date(5),
    tags: new Set([{ c: 1 }]),
    byDate: new Map([[new Date(6), { d: 1 }]]),
    total: 12n,
    none: undefined,
  };
  const copy = deepCopy(value) as typeof value;
  // Not `toStrictEqual`, which compares the member `constructor` by identity.
  expect(copy).toEqual(value);
  expect(Object.keys(copy)).toEqual(Object.keys(value));
  const partsOf = (of: typeof value) => [
    of,
    of.list,
    of.list[1],
    of.named,
    of.named.constructor,
    of.at,
    of.tags,
    ...of.tags,
    of.byDate,
    ...[...of.byDate].flat(),
  ];
  const parts = new Set<unknown>(partsOf(value));
  for (const part of partsOf(copy)) expect(parts).not.toContain(part);

  const foreign = deepCopy(JSON.parse('{"__proto__":{"isAdmin":true},"name":"x"}')) as { isAdmin?: boolean };
  expect(foreign.isAdmin).toBeUndefined();
  expect(Object.getPrototypeOf(foreign)).toBe(Object.prototype);
  expect(foreign).toEqual({ name: "x" });
});

test("[SD2] `deepCopy` keeps instances of other classes as they are", () => {
  const address = new URL("https://example.com");
  expect(deepCopy({ address })).toEqual({ address });
  expect((deepCopy({ address }) as { address: unknown }).address).toBe(address);
});
