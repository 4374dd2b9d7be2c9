import { describe, expect, test } from "vitest";
import { freeze } from "./freeze.js";
import { freeze as pageFreeze } from "./page/freeze.js";

describe("A document is frozen", () => {
  test("[SC11] with all of its parts, those in maps and sets as well; in a page's production build nothing is", () => {
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
