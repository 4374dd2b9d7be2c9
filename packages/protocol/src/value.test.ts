import fc from "fast-check";
import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import { saying } from "../test/saying.js";
import { MAX_VALUE_DEPTH } from "./codec/shape.js";
import { valueSchema } from "./value.js";

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

const tree = z.lazy((): z.ZodMiniType => z.union([z.number(), z.array(tree)]));

describe("sending", () => {
  test("[WR12] `send` drops unknown fields, so that nothing undeclared leaks", () => {
    const contract = valueSchema(z.object({ name: z.string() }));
    expect(contract.send({ name: "a", password: "hunter2" }, "output")).toEqual({
      ok: true,
      value: { data: { name: "a" } },
    });
  });

  test("[WR12] `send` fills in defaults", () => {
    const contract = valueSchema(z.object({ limit: z._default(z.number(), 10) }));
    expect(contract.send({}, "input")).toEqual({ ok: true, value: { data: { limit: 10 } } });
  });

  test("[WR11] `send` refuses an invalid value and names the field and both types", () => {
    expect(valueSchema(z.object({ a: z.string() })).send({ a: 5 }, "data")).toEqual({
      ok: false,
      fault: { field: "data.a", message: saying("data.a: ", "string", "number") },
    });
  });

  test.each([
    ["plain", tree],
    ["rich", z.any()],
  ])("[WR11] `send` accepts %s values at the depth limit and refuses deeper ones", (_name, schema) => {
    const contract = valueSchema(schema);
    expect(contract.send(nested(MAX_VALUE_DEPTH), "data").ok).toBe(true);
    const field = `data${"[0]".repeat(MAX_VALUE_DEPTH)}`;
    expect(contract.send(nested(MAX_VALUE_DEPTH + 1), "data")).toMatchObject({
      ok: false,
      fault: { field, message: saying(String(MAX_VALUE_DEPTH)) },
    });
  });

  test("[WR11] `send` refuses a value whose annotations are nested too deeply", () => {
    let set: unknown = new Set([new Date(0)]);
    for (let level = 0; level < 16; level++) set = new Set([set]);
    expect(valueSchema(z.any()).send(set, "data")).toMatchObject({
      ok: false,
      fault: { field: expect.stringMatching(/^data(\[0\])+$/) },
    });
  });

  test("[WR11] `send` accepts 10,000 members and refuses 10,001", () => {
    const contract = valueSchema(z.array(z.number()));
    expect(contract.send(Array(10_000).fill(0), "data").ok).toBe(true);
    expect(contract.send(Array(10_001).fill(0), "data")).toMatchObject({
      ok: false,
      fault: { field: "data", message: saying("10000") },
    });
  });

  test("[WR11] `send` refuses half a surrogate pair in a string and in a key", () => {
    expect(valueSchema(z.string()).send("👍".slice(0, 1), "data")).toMatchObject({
      ok: false,
      fault: { field: "data" },
    });
    const votes = valueSchema(z.record(z.string(), z.number()));
    expect(votes.send({ ["Ann👍".slice(0, 4)]: 1 }, "data")).toMatchObject({
      fault: { field: String.raw`data["Ann\ud83d"]` },
    });
    expect(votes.send({ "Ann👍": 1 }, "data").ok).toBe(true);
    expect(valueSchema(z.array(z.string())).send(["👍"], "data").ok).toBe(true);
  });

  test("[WR11] if a value overflows the stack during validation, `send` refuses it and names the member that is too deep", () => {
    const field = `data${"[0]".repeat(MAX_VALUE_DEPTH)}`;
    for (const schema of [tree, z.any()])
      expect(valueSchema(schema).send(nested(200_000), "data")).toMatchObject({ ok: false, fault: { field } });
  });

  test("[WR11] below a name that superjson cannot restore, `send` refuses rich values and accepts plain ones", () => {
    const contract = valueSchema(z.any());
    expect(contract.send({ constructor: 1 }, "data")).toMatchObject({ ok: true });
    expect(contract.send({ constructor: [1n] }, "data")).toMatchObject({
      ok: false,
      fault: { field: "data.constructor[0]", message: saying("bigint") },
    });
  });
});

describe("receiving", () => {
  test("[WR12] `receive` drops unknown fields and fills in defaults", () => {
    const contract = valueSchema(z.object({ limit: z._default(z.number(), 10) }));
    expect(contract.receive({ extra: 1 }, undefined, "input")).toEqual({ ok: true, value: { limit: 10 } });
  });

  test("[WR12] `receive` drops a field `__proto__`", () => {
    const json = JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":{"polluted":true}}}') as unknown;
    for (const schema of [z.record(z.string(), z.any()), z.looseObject({}), z.object({ a: z.looseObject({}) })]) {
      const received = valueSchema(schema).receive(json, undefined, "input");
      expect(Object.assign({}, (received as { value?: object }).value)).not.toHaveProperty("polluted");
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("[WR12] without a schema, `send` refuses every value and `receive` ignores the data", () => {
    const nothing = valueSchema(undefined);
    expect(nothing.send(undefined, "input")).toEqual({ ok: true, value: { data: undefined } });
    expect(nothing.send(1, "input")).toEqual({
      ok: false,
      fault: { field: "input", message: saying("input: "), remedy: saying("request(name, undefined, options)") },
    });
    expect(nothing.send(1, "output")).toEqual({
      ok: false,
      fault: { field: "output", message: saying("output: ") },
    });
    expect(nothing.receive({ anything: 1 }, { values: { anything: ["Date"] } }, "input")).toEqual({
      ok: true,
      value: undefined,
    });
  });
});

describe("properties", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 8 });
  const key = text.filter((name) => !["__proto__", "constructor", "prototype"].includes(name));
  const leaf = fc.oneof(
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.bigInt(),
    fc.date({ noInvalidDate: true }),
    fc.constantFrom(Number.NaN, Infinity, -Infinity),
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
      fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 }).map((entries) => new Map(entries)),
      fc.array(tie("value"), { maxLength: 3 }).map((items) => new Set(items)),
    ),
  }));
  const contract = valueSchema(z.any());

  test("[WR9] any value of Dates, Maps, Sets, BigInts and JSON arrives equal", () => {
    fc.assert(
      fc.property(value, (sample) => {
        const sent = contract.send(sample, "value");
        if (!sent.ok) throw new Error(sent.fault.message);
        const wire = JSON.parse(JSON.stringify(sent.value)) as { data: unknown; meta?: unknown };
        expect(contract.receive(wire.data, wire.meta, "value")).toEqual({ ok: true, value: sample });
      }),
      { numRuns: 2_000 },
    );
  });

  test("[WR10] `receive` does not throw or change a prototype for any annotations on any data", () => {
    const tag = fc.constantFrom(
      "Date",
      "bigint",
      "map",
      "set",
      "undefined",
      "number",
      "regexp",
      "Error",
      "URL",
      "class",
      "__proto__",
    );
    const path = fc.oneof(
      fc.constantFrom(
        "a",
        "b",
        "0",
        "1",
        "a.b",
        "a.0",
        "__proto__.polluted",
        "a.constructor.prototype",
        "length",
        "a\\.b",
        "\\",
        "",
      ),
      text,
    );
    const { node } = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.tuple(fc.oneof(tag, fc.tuple(fc.constantFrom("class", "custom", "typed-array", "symbol"), text))),
        fc.tuple(tag, fc.dictionary(path, tie("node"), { maxKeys: 3 })),
        fc.dictionary(path, tie("node"), { maxKeys: 3 }),
        fc.jsonValue(),
      ),
    }));
    const data = fc.oneof(fc.jsonValue(), fc.dictionary(path, fc.jsonValue(), { noNullPrototype: true }));
    fc.assert(
      fc.property(data, node, (json, values) => {
        const received = contract.receive(json, { values }, "value");
        expect(received.ok || received.fault.field).toSatisfy(
          (field: true | string) => field === true || /^(meta|value)/.test(field),
        );
      }),
      { numRuns: 5_000 },
    );
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
