import { describe, expect, test } from "vitest";
import { freeze } from "./freeze.js";
import { freeze as pageFreeze } from "./page/freeze.js";

describe("The freeze function", () => {
  test("[SC11] freezes all parts, including parts in maps and sets; a page's production build freezes nothing", () => {
    const make = () => ({
      list: [{ a: 1 }],
      at: new Date(5),
      map: new Map([["m", { b: 1 }]]),
      set: new Set([{ c: 1 }]),
    });
    const frozen = freeze(make());
    const parts = [frozen, frozen.list, frozen.list[0], frozen.map.get("m"), [...frozen.set][0]];
    expect(parts.every(Object.isFrozen)).toBe(true);
    expect(() => (frozen.list[0]!.a = 2)).toThrow(TypeError);
    expect([null, undefined, 5, "a"].map(freeze)).toEqual([null, undefined, 5, "a"]);
    const free = make();
    expect(pageFreeze(free)).toBe(free);
    expect(Object.isFrozen(free)).toBe(false);
  });
});
