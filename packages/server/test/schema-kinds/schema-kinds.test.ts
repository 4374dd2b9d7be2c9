import { defineProtocol, type HoldfastError, isHoldfastError, type Protocol, type Schema } from "@holdfast/protocol";
import { fingerprint } from "@holdfast/protocol/describe";
import { protocolFiles } from "@holdfast/cli";
import * as z from "zod";
import { describe, expect, test } from "vitest";
import { definitionOf, type Place, places } from "./places.js";
import { kinds, type Works } from "./table.js";
import { travel } from "./travel.js";

const rows = Object.entries(kinds).flatMap(([name, some]) => some.map((row, index) => [name, index, row] as const));

test("[PR9] the table has a row for every schema class of zod", () => {
  const bases = ["ZodType", "ZodStringFormat", "ZodError", "ZodRealError"];
  const names = Object.entries(z)
    .filter(([name, made]) => /^Zod[A-Z]/.test(name) && typeof made === "function" && "init" in made)
    .map(([name]) => name)
    .filter((name) => !bases.includes(name));
  expect(Object.keys(kinds).sort()).toEqual(names.sort());
});

/**
 * Classes that do not change the accepted values, so their first row has the fingerprint of another
 * class.
 */
const ALIKE = ["ZodReadonly", "ZodLazy"];

test("[PR7] each accepted schema class has its own fingerprint, except `readonly` and `lazy`", () => {
  const found = new Map<string, string>();
  for (const [name, [row]] of Object.entries(kinds)) {
    if (!row || "refused" in row || ALIKE.includes(name)) continue;
    const print = fingerprintOf("input", row.schema);
    expect(`${name} like ${found.get(print)}`).toBe(`${name} like undefined`);
    found.set(print, name);
  }
  expect(found.size).toBeGreaterThan(50);
});

describe.each(rows)("%s, row %i", (_name, _index, row) => {
  test.each(Object.keys(places) as Place[])(
    "[PR9] as %s: the value arrives, or `defineProtocol` throws INVALID_PROTOCOL with the field of the schema",
    async (place) => {
      const fault = faultOf(place, row.schema);
      if ("refused" in row || !isPromised(row, place)) {
        expect(fault?.code).toBe("INVALID_PROTOCOL");
        expect(fault?.field).toContain(places[place].at);
        expect(fault?.message).toContain(fault!.field!);
        if ("refused" in row) expect(fault?.message).toContain(row.refused);
        return;
      }
      expect(fault).toBeUndefined();
      const isShown = place === "presence" && row.value === undefined;
      const sent = isShown ? row.shown : row.value;
      expect(await travel(place, row.schema, sent)).toEqual("arrives" in row && !isShown ? row.arrives : sent);
      expect(fingerprintOf(place, row.schema)).toBe(fingerprintOf(place, row.schema));
      expect(fingerprintOf(place, row.schema)).not.toBe(fingerprintOf(place, unlike[place] ?? z.literal("unlike")));
    },
  );
});

describe.each(rows.filter(([, , row]) => "value" in row))("%s, row %i", (_name, _index, row) => {
  test("[PR9] has a reference as the input of a request", () => {
    const protocol = defineProtocol(definitionOf("input", row.schema)) as Protocol;
    try {
      expect(protocolFiles(protocol).size).toBeGreaterThan(3);
    } catch (error) {
      // If no example can be generated, the remedy names `examples`.
      if (!isHoldfastError(error)) throw error;
      expect(error.remedy).toContain("examples");
      z.globalRegistry.add(row.schema as z.ZodType, { examples: [(row as { value: unknown }).value] });
      expect(protocolFiles(protocol).size).toBeGreaterThan(3);
      z.globalRegistry.remove(row.schema as z.ZodType);
    }
  });
});

function isPromised(row: Works, place: Place): boolean {
  if (place === "document" || place === "key" || place === "parameters") return row.also?.includes(place) ?? false;
  return place !== "presence" || row.value !== undefined || row.shown !== undefined;
}

/** Schemas that differ from every row, for places that do not accept a literal. */
const unlike: { readonly [P in Place]?: Schema } = { document: z.object({ unlike: z.string() }) };

function fingerprintOf(place: Place, schema: Schema): string {
  return fingerprint(defineProtocol(definitionOf(place, schema)) as Protocol);
}

function faultOf(place: Place, schema: Schema): HoldfastError | undefined {
  try {
    defineProtocol(definitionOf(place, schema));
    return undefined;
  } catch (error) {
    if (isHoldfastError(error)) return error;
    throw error;
  }
}
