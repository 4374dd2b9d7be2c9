import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import { saying } from "../../test/saying.js";
import type { Schema } from "../schema.js";
import { valueSchema } from "../value.js";
import { dehydrate } from "./dehydrate.js";
import { revive } from "./rich-values.js";

function travel(schema: Schema, value: unknown): unknown {
  const contract = valueSchema(schema);
  const sent = contract.send(value, "value");
  if (!sent.ok) throw new Error(sent.fault.message);
  const { data, meta } = JSON.parse(JSON.stringify(sent.value)) as { data?: unknown; meta?: unknown };
  const received = contract.receive(data, meta, "value");
  if (!received.ok) throw new Error(received.fault.message);
  return received.value;
}

describe("values that JSON cannot hold", () => {
  test.each<[string, Schema, unknown]>([
    ["a Date", z.date(), new Date(1)],
    ["a BigInt", z.bigint(), -12345678901234567890n],
    ["a BigInt literal", z.literal(5n), 5n],
    ["a Map", z.map(z.string(), z.number()), new Map([["a", 1]])],
    ["an empty Map", z.map(z.string(), z.number()), new Map()],
    ["a Set", z.set(z.string()), new Set(["a", "b"])],
    ["undefined in a list", z.array(z.optional(z.date())), [undefined, new Date(0), undefined]],
    ["undefined in a list of strings", z.array(z.optional(z.string())), [undefined, "a"]],
    ["undefined in a tuple", z.tuple([z.optional(z.string()), z.optional(z.string())]), [undefined, "a"]],
    ["undefined in a required field", z.object({ a: z.undefined() }), { a: undefined }],
    ["NaN", z.nan(), Number.NaN],
    ["NaN, infinities and -0 under z.any()", z.any(), [Number.NaN, Infinity, -Infinity, -0]],
    [
      "a Map of Maps with Dates as keys",
      z.map(z.date(), z.map(z.string(), z.date())),
      new Map([[new Date(1), new Map([["a", new Date(2)]])]]),
    ],
    ["a Set of Sets", z.set(z.set(z.bigint())), new Set([new Set([1n]), new Set([2n, 3n])])],
    [
      "a Date under names with dots and backslashes",
      z.record(z.string(), z.date()),
      { "a.b": new Date(1), "c\\d": new Date(2), "": new Date(3) },
    ],
    [
      "all rich types in one value",
      z.any(),
      { at: new Date(1), big: 2n, map: new Map([["a", new Set([new Date(3)])]]), list: [undefined, null] },
    ],
    ["the same Date in two fields", z.object({ a: z.date(), b: z.date() }), ((at) => ({ a: at, b: at }))(new Date(7))],
  ])("[WR9] %s arrives as it was sent", (_name, schema, value) => {
    expect(travel(schema, value)).toEqual(value);
  });

  const dates = (count: number) => new Map(Array.from({ length: count }, (_, at) => [at, new Date(at)] as const));
  test.each<[string, Schema, unknown, string, string]>([
    [
      "more rich values than the receiver restores",
      z.array(z.map(z.int(), z.date())),
      [dates(6_000), dates(6_000)],
      "value[1][3999]",
      "value[1][3999]",
    ],
    ["a BigInt with more digits than the receiver reads", z.bigint(), 10n ** 1_024n, "value", "1024"],
    ["a type that the receiver never restores", z.any(), { pattern: /a/ }, "value.pattern", "RegExp"],
  ])("[WR11] sending %s is refused", (_name, schema, value, field, fact) => {
    const sent = valueSchema(schema).send(value, "value");
    expect(sent).toMatchObject({ ok: false, fault: { field, message: saying(fact) } });
  });

  test("[WR9] a schema without rich values sends plain JSON and no annotations", () => {
    const contract = valueSchema(z.object({ a: z.string(), b: z.array(z.int()) }));
    expect(contract.send({ a: "x", b: [1] }, "value")).toEqual({ ok: true, value: { data: { a: "x", b: [1] } } });
  });

  test("[WR9] annotations are sent only if the value needs them", () => {
    const contract = valueSchema(z.object({ at: z.optional(z.date()) }));
    expect(contract.send({}, "value")).toEqual({ ok: true, value: { data: {} } });
    expect(contract.send({ at: new Date(0) }, "value")).toEqual({
      ok: true,
      value: { data: { at: "1970-01-01T00:00:00.000Z" }, meta: { values: { at: ["Date"] }, v: 1 } },
    });
  });

  test("[WR9] sending undefined sends no data, whether or not the schema accepts rich values", () => {
    for (const schema of [z.void(), z.optional(z.date()), z.any()])
      expect(valueSchema(schema).send(undefined, "value")).toEqual({ ok: true, value: { data: undefined } });
  });

  test("[WR9] equal references arrive as copies, so that a peer cannot make values share objects", () => {
    const shared = { at: new Date(0) };
    const { data, meta } = JSON.parse(JSON.stringify(dehydrate([shared, shared]))) as { data: unknown; meta: unknown };
    expect(meta).not.toHaveProperty("referentialEqualities");
    const [first, second] = revive(data, meta, new Set(["Date"])) as [object, object];
    expect(first).toEqual(second);
    expect(first).not.toBe(second);
  });

  test("[WR11] a value that contains itself is refused, with the path where the circle closes", () => {
    const loop: Record<string, unknown> = { name: "loop" };
    loop["self"] = loop;
    const deep = { list: [{ inner: loop }] };
    for (const [value, field] of [
      [loop, "data.self"],
      [deep, "data.list[0].inner.self"],
      [[loop], "data[0].self"],
    ] as const)
      expect(valueSchema(z.any()).send(value, "data")).toMatchObject({
        ok: false,
        fault: { field, remedy: saying("id") },
      });
  });
});

describe("annotations of a peer", () => {
  const any = z.any();
  const long = "9".repeat(1_000_000);
  const members = (count: number, of: (index: number) => unknown) =>
    Array.from({ length: count }, (_, index) => of(index));
  const nested = (levels: number, leaf: unknown): unknown =>
    levels === 0 ? leaf : ["map", { "0.1": nested(levels - 1, leaf) }];
  const pairs = (levels: number): unknown => (levels === 0 ? "x" : [["k", pairs(levels - 1)]]);

  test.each<[name: string, data: unknown, meta: unknown, fact?: string]>([
    [
      "a typed array of 1 GB, requested in 80 bytes",
      { a: 1_000_000_000 },
      { values: { a: [["typed-array", "Uint8Array"]] } },
    ],
    ["a RegExp", { a: "/(a+)+$/" }, { values: { a: ["regexp"] } }],
    ["a class", { a: {} }, { values: { a: [["class", "User"]] } }],
    ["a custom type", { a: {} }, { values: { a: [["custom", "Decimal"]] } }],
    ["an Error", { a: { name: "E", message: "m" } }, { values: { a: ["Error"] } }],
    ["a URL", { a: "http://example.com" }, { values: { a: ["URL"] } }],
    ["a symbol", { a: "s" }, { values: { a: [["symbol", "s"]] } }],
    ["a tag with the name of an inherited property", { a: {} }, { values: { a: ["constructor"] } }],
    [
      "Set entries annotated side by side, which cost a walk from the beginning each",
      members(20_000, (index) => index),
      {
        values: {
          ...Object.fromEntries(members(20_000, (index) => [`s.${String(index)}`, ["Date"]]) as [string, unknown][]),
        },
      },
      "10000",
    ],
    [
      "entries below a Set annotated beside it",
      { s: members(9_000, () => "2026-01-15T09:30:00.000Z") },
      {
        values: {
          s: ["set"],
          ...Object.fromEntries(members(9_000, (index) => [`s.${String(index)}`, ["Date"]]) as [string, unknown][]),
        },
      },
    ],
    ["an item at index 999999999", { list: [] }, { values: { "list.999999999": ["Date"] } }],
    ["the length of a list", { list: [1] }, { values: { "list.length": ["undefined"] } }, "undefined"],
    ["__proto__", { a: {} }, { values: { "__proto__.polluted": ["Date"] } }],
    ["__proto__ of a field", { a: {} }, { values: { "a.__proto__.polluted": ["Date"] } }],
    ["constructor.prototype", { a: {} }, { values: { "a.constructor.prototype.polluted": ["Date"] } }],
    [
      "__proto__ as an own field, made by JSON.parse",
      JSON.parse('{"__proto__":{"polluted":"2026-01-15T09:30:00.000Z"}}'),
      { values: { "__proto__.polluted": ["Date"] } },
      "__proto__",
    ],
    [
      "equal references",
      { a: {}, b: {} },
      { values: {}, referentialEqualities: { a: ["b"] } },
      "referentialEqualities",
    ],
    ["a BigInt of a million digits", { a: long }, { values: { a: ["bigint"] } }, "bigint"],
    ["a BigInt that is not a decimal number", { a: "0x10" }, { values: { a: ["bigint"] } }, "bigint"],
    ["a Date of a long string", { a: long }, { values: { a: ["Date"] } }, "Date"],
    ["a Date that cannot be parsed", { a: "tomorrow" }, { values: { a: ["Date"] } }, "Date"],
    ["a Date of a number", { a: 5 }, { values: { a: ["Date"] } }, "Date"],
    ["a Map whose entries are not pairs", { a: [1, 2] }, { values: { a: ["map"] } }, "map"],
    ["a Set of an object", { a: {} }, { values: { a: ["set"] } }, "set"],
    ["a number that is a decimal string", { a: "5" }, { values: { a: ["number"] } }, "number"],
    ["undefined for a value that is not null", { a: "secret" }, { values: { a: ["undefined"] } }, "undefined"],
    ["annotations nested a hundred deep", pairs(100), { values: nested(100, ["Date"]) }],
    ["a path of a hundred segments", { a: 1 }, { values: { [members(100, () => "a").join(".")]: ["Date"] } }],
    [
      "more than 10,000 annotations",
      members(10_001, () => null),
      { values: Object.fromEntries(members(10_001, (index) => [String(index), ["undefined"]]) as [string, unknown][]) },
      "10000",
    ],
    ["a string in place of annotations", { a: 1 }, "values"],
    ["a list in place of annotations", { a: 1 }, []],
    ["null in place of annotations", { a: 1 }, null],
    ["values that are a string", { a: 1 }, { values: "Date" }],
    ["an annotation that is a number", { a: 1 }, { values: { a: 5 } }],
    ["an empty annotation", { a: 1 }, { values: { a: [] } }],
    ["an annotation with too many parts", { a: [] }, { values: { a: ["set", {}, {}] } }],
    ["a path that ends in a backslash", { "a\\": 1 }, { values: { "a\\": ["Date"] } }],
    ["superjson's older syntax of paths", { "a.b": "2026-01-15T09:30:00.000Z" }, { values: { "a\\.b\\": ["Date"] } }],
  ])("[WR10] %s is refused within 10 ms", (_name, data, meta, fact = "") => {
    const contract = valueSchema(any);
    // Takes the best of three runs, because other work on the machine disturbs single runs.
    let took = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 3; attempt++) {
      const before = performance.now();
      const received = contract.receive(data, meta, "data");
      took = Math.min(took, performance.now() - before);
      expect(received).toEqual({ ok: false, fault: { field: "meta", message: saying("meta: ", fact) } });
    }
    expect(took).toBeLessThan(10);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("[WR10] a tag is refused if the schema of the value does not accept the type of the tag", () => {
    const contract = valueSchema(z.object({ at: z.date() }));
    const text = "2026-01-15T09:30:00.000Z";
    expect(contract.receive({ at: text }, { values: { at: ["Date"] } }, "data")).toEqual({
      ok: true,
      value: { at: new Date(text) },
    });
    for (const [json, tag] of [
      ["5", "bigint"],
      [[], "set"],
      [[], "map"],
    ])
      expect(contract.receive({ at: json }, { values: { at: [tag] } }, "data")).toMatchObject({
        ok: false,
        fault: { field: "meta" },
      });
  });

  test("[WR10] a schema of plain values restores only undefined and numbers, which a page may annotate", () => {
    const contract = valueSchema(z.object({ at: z.optional(z.string()), n: z.number() }));
    expect(contract.receive({ at: "2026", n: 1 }, { values: { at: ["Date"] } }, "data")).toMatchObject({
      ok: false,
      fault: { field: "meta" },
    });
    const { data, meta } = JSON.parse(JSON.stringify(dehydrate({ at: undefined, n: -0 }))) as {
      data: unknown;
      meta: unknown;
    };
    expect(contract.receive(data, meta, "data")).toEqual({ ok: true, value: { at: undefined, n: -0 } });
  });

  test("[WR10] annotations without `values` do not change the data", () => {
    expect(valueSchema(any).receive({ a: 1 }, {}, "data")).toEqual({ ok: true, value: { a: 1 } });
  });

  test("[WR10] the time to restore a Set grows linearly with its entries", () => {
    // Annotated side by side, 418 KB took superjson 775 ms, because each path walks the Set from
    // the beginning.
    const contract = valueSchema(z.object({ s: z.set(z.date()) }));
    const time = (count: number): number => {
      const data = { s: members(count, (index) => new Date(index).toISOString()) };
      const entries = members(count, (index) => [String(index), ["Date"]]) as [string, unknown][];
      const meta = { values: { s: ["set", Object.fromEntries(entries)] } };
      let took = Number.POSITIVE_INFINITY;
      for (let attempt = 0; attempt < 5; attempt++) {
        const before = performance.now();
        expect(contract.receive(data, meta, "data").ok).toBe(true);
        took = Math.min(took, performance.now() - before);
      }
      return took;
    };
    time(1_000); // compiles the code before the measurement
    expect(time(8_000) / time(1_000)).toBeLessThan(32); // linear is 8, quadratic 64
  });
});
