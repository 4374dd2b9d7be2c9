import fc from "fast-check";
import { runInNewContext } from "node:vm";
import SuperJSON from "superjson";
import * as z from "zod/mini";
import { describe, expect, test, vi } from "vitest";
import { saying } from "../../test/saying.js";
import { isEqual, leadsToFault, samples } from "../../test/values.js";
import { encodeValue as encodeOfPage } from "../page/encode-value.js";
import type { RichTag } from "../schema.js";
import { valueSchema } from "../value.js";
import { encodeValue } from "./encode-value.js";
import { revive } from "./rich-values.js";

const all: ReadonlySet<RichTag> = new Set<RichTag>(["Date", "bigint", "map", "set", "undefined", "number"]);
const any = valueSchema(z.any());

const builds = [
  ["the full build", (value: unknown) => encodeValue(value, "data", { rich: all, restored: all })],
  ["a page's production build", (value: unknown) => encodeOfPage(value, "data")],
] as const;

/** The value as the other side reads it. */
function arrived({ data, meta }: { readonly data: unknown; readonly meta?: unknown }): unknown {
  const text = JSON.stringify({ data, meta });
  const read = JSON.parse(text) as { data?: unknown; meta?: unknown };
  return revive(read.data, read.meta, all);
}

/** Only development builds find these: the walk of the production build is shorter. */
const unusual: [name: string, value: unknown, field: string][] = [
  ["an array hole", { list: [1, , 3] }, "data.list[1]"], // oxlint-disable-line no-sparse-arrays
  ["an array hole at the end", { list: new Array(1) }, "data.list[0]"],
  ["a property added to an array", { list: Object.assign([1], { page: 2 }) }, "data.list.page"],
  ["a property that is not enumerable", Object.defineProperty({ a: 1 }, "b", { value: 2 }), "data.b"],
  ["a property named by a symbol", { a: { [Symbol.iterator]: 1 } }, "data.a[Symbol(Symbol.iterator)]"],
  ["half a surrogate pair", { text: "\ud83d" }, "data.text"],
  ["the name __proto__", { a: JSON.parse('{"__proto__":1}') as unknown }, "data.a.__proto__"],
];

describe.each(builds)("in %s", (build, encode) => {
  const isPage = build !== "the full build";
  const fieldOf = (field: string): string => (isPage ? field.replace(/\[(\d+)\]/g, ".$1") : field);

  test("[WR17] [PG8] a value that can travel arrives equal; the full build refuses any other value with the path of the member at fault", () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const sent = encode(sample.value);
        const mayTravel = isPage ? sample.arrives.page : sample.arrives.elsewhere;
        if (mayTravel || !isPage) expect(sent.ok).toBe(mayTravel);
        if (sent.ok) return void (mayTravel && expect(isEqual(arrived(sent.value), sample.value)).toBe(true));
        expect(isPage || leadsToFault(sample, sent.fault.field), sent.fault.message).toBe(true);
        expect(sent.fault.message.startsWith(`${sent.fault.field}: `)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  }, 60_000);

  const circular: Record<string, unknown> = { name: "a" };
  circular["self"] = circular;
  const shared = { list: [circular] };

  test.each<[string, unknown, string]>([
    ["a function", { items: [{ at: () => 1 }] }, "data.items[0].at"],
    ["a symbol", [Symbol("a")], "data[0]"],
    ["a circular reference below a shared one", { a: shared, b: shared }, "data.a.list[0].self"],
    ["an invalid Date", { at: new Date(Number.NaN) }, "data.at"],
    ["a RegExp in a Set", { set: new Set([1, /a/]) }, "data.set[1]"],
    ["a boxed string", { text: new String("a") }, "data.text"],
    ["bytes", { bytes: new Uint8Array(2) }, "data.bytes"],
  ])("[WR17] [PG8] %s is refused, and the fault names the path", (_name, value, field) => {
    expect(encode(value)).toMatchObject({ ok: false, fault: { field: fieldOf(field) } });
  });

  const developmentOnly = isPage ? [] : unusual;
  test.each<[string, unknown, string]>(developmentOnly)(
    "[WR17] %s is refused, and the fault names the path",
    (_name, value, field) => {
      expect(encode(value)).toMatchObject({ ok: false, fault: { field } });
    },
  );

  test("[WR17] a value is encoded in the form of superjson", () => {
    const value = {
      at: new Date(5),
      "a.b": { "c\\d": [undefined, -0, 12n] },
      map: new Map<unknown, unknown>([[new Date(1), new Set([new Map([[Number.NaN, 1]])])]]),
      plain: [{ a: 1 }, null, true, "text"],
    };
    const { json, meta } = SuperJSON.serialize(value);
    expect(encode(value)).toEqual({ ok: true, value: { data: json, meta } });
    expect(encode([new Set([1n])])).toMatchObject({ value: { meta: SuperJSON.serialize([new Set([1n])]).meta! } });
    for (const root of [new Set([1n]), 5n, new Date(3), Number.NaN])
      expect(encode(root)).toEqual({
        ok: true,
        value: { data: SuperJSON.serialize(root).json, meta: SuperJSON.serialize(root).meta },
      });
  });
});

describe("values of other realms and other classes", () => {
  test("[WR18] Dates, Maps, Sets, arrays and objects of another realm arrive as values of this realm", () => {
    const value: unknown = runInNewContext("({ at: new Date(7), all: [new Map([['a', new Set([1n])]])] })");
    const sent = any.send(value, "data");
    if (!sent.ok) throw new Error(sent.fault.message);
    expect(arrived(sent.value)).toStrictEqual({ at: new Date(7), all: [new Map([["a", new Set([1n])]])] });
  });

  test("[WR18] the Dates of fake timers are sent", () => {
    vi.useFakeTimers({ now: 1_000 });
    const sent = encodeValue({ at: new Date() }, "data", { rich: all, restored: all });
    vi.useRealTimers();
    expect(sent).toMatchObject({ ok: true, value: { data: { at: "1970-01-01T00:00:01.000Z" } } });
  });

  test.each<[string, unknown, string, string]>([
    ["a Map", new Map([["ann", { at: /a/ }]]), "data.ann.at", "RegExp"],
    ["a Map with Dates as keys", new Map([[new Date(0), [() => 1]]]), "data[0].(value)[0]", "function"],
    ["the keys of a Map", new Map([[Symbol("a"), 1]]), "data[0].(key)", "symbol"],
    ["a Set", new Set([new Error("a")]), "data[0]", "Error"],
  ])("[WR17] a fault in %s names the member as the application knows it", (_name, value, field, type) => {
    expect(any.send(value, "data")).toMatchObject({
      ok: false,
      fault: { field, message: saying(`${field}: `, type), remedy: expect.any(String) },
    });
  });

  test("[WR17] if a getter throws, the fault names the getter and has the error as its cause, whether or not the schema reads the getter", () => {
    const cause = new Error("secret");
    const value = {
      get a(): never {
        throw cause;
      },
    };
    for (const schema of [z.any(), z.object({ a: z.string() })]) {
      const sent = valueSchema(schema).send(value, "data");
      expect(sent).toMatchObject({ ok: false, fault: { field: "data.a" } });
      expect(sent).toHaveProperty("fault.cause", cause);
    }
  });

  test("[WR17] the fault of a circular value names the place where the circle closes", () => {
    const tree: z.ZodMiniType = z.object({ next: z.optional(z.lazy(() => tree)) });
    const value: { next?: unknown } = {};
    value.next = { next: value };
    expect(valueSchema(tree).send(value, "data")).toMatchObject({ ok: false, fault: { field: "data.next.next" } });
  });
});

describe("plain schemas", () => {
  test("[WR17] -0 arrives as -0, even if the schema accepts only plain numbers", () => {
    const plain = valueSchema(z.object({ x: z.number(), y: z.number() }));
    const sent = plain.send({ x: -0, y: 0 }, "data");
    if (!sent.ok) throw new Error(sent.fault.message);
    expect(plain.receive(sent.value.data, sent.value.meta, "data")).toEqual({ ok: true, value: { x: -0, y: 0 } });
  });

  test("[WR17] an undefined field is left out, as in JSON.stringify", () => {
    const sent = valueSchema(z.object({ a: z.optional(z.string()) })).send({ a: undefined }, "data");
    expect(sent).toStrictEqual({ ok: true, value: { data: {} } });
  });

  test("[WR17] if an overwrite of the application returns a rich value that the schema does not accept, the value is refused", () => {
    const odd = valueSchema(z.string().check(z.overwrite(() => new Date(0) as never)));
    expect(odd.send("a", "data")).toMatchObject({
      ok: false,
      fault: { field: "data", message: saying("Date") },
    });
  });
});

test("[WR17] a value whose shared references unfold to more than 1,000,000 values is refused", () => {
  let value: unknown = [1, 2, 3];
  for (let level = 0; level < 24; level++) value = [value, value, value];
  expect(any.send(value, "data")).toMatchObject({
    ok: false,
    fault: { message: saying("1000000") },
  });
});
