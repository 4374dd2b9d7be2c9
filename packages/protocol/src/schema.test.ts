import { createRequire } from "node:module";
import * as full from "zod";
import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import { defineProtocol, type ProtocolDefinition } from "./define-protocol.js";
import { describe as describeProtocol, fingerprint } from "./describe.js";
import { isHoldfastError } from "./errors.js";
import type { Schema } from "./schema.js";
import { valueSchema } from "./value.js";

/** What zod's `require` gives: other classes than those of `import`. */
const otherCopy = createRequire(import.meta.url)("zod") as typeof full;

const text = full.string();

function define(input: Schema) {
  return defineProtocol({ name: "p", version: "1.0.0", requests: { r: { input } } });
}

/** The sentence behind the place, and the place below `requests.r.input`. */
function refusal(make: () => unknown): { at: string; reason: string } | undefined {
  return refusalOf({ requests: { r: { input: make() as Schema } } }, "requests.r.input");
}

function refusalOf(part: Partial<ProtocolDefinition>, place: string): { at: string; reason: string } | undefined {
  try {
    defineProtocol({ name: "p", version: "1.0.0", ...part });
    return undefined;
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== "INVALID_PROTOCOL" || !error.field?.startsWith(place)) throw error;
    const reason = error.message.slice(`defineProtocol: ${error.field}: `.length, -1);
    return { at: error.field.slice(place.length), reason };
  }
}

describe("a schema that contains itself", () => {
  interface Node {
    name: string;
    below: Node[];
  }
  const value: Node = { name: "a", below: [{ name: "b", below: [{ name: "c", below: [] }] }] };
  const lazy = (refer: (node: full.ZodType<Node>) => full.ZodType<Node>): full.ZodType<Node> => {
    const node: full.ZodType<Node> = full.lazy(() => full.object({ name: text, below: full.array(refer(node)) }));
    return node;
  };
  const ways: readonly [name: string, refer: (node: full.ZodType<Node>) => full.ZodType<Node>][] = [
    ["as it is", (node) => node],
    ["with describe", (node) => node.describe("below")],
    ["with meta", (node) => node.meta({ title: "below" })],
    ["with refine", (node) => node.refine(({ name }) => name !== "")],
    ["with a refinement of zod/mini", (node) => node.check(z.refine(({ name }) => name !== ""))],
    ["with a brand", (node) => node.brand("Node") as unknown as full.ZodType<Node>],
    ["with readonly", (node) => node.readonly() as full.ZodType<Node>],
    [
      "with several",
      (node) =>
        node
          .refine(() => true)
          .describe("a")
          .meta({ title: "b" })
          .refine(() => true),
    ],
    ["within another lazy part", (node) => full.lazy(() => node.describe("below"))],
    ["in a union", (node) => full.union([node.describe("a"), node.refine(() => false)])],
    ["in an intersection", (node) => full.intersection(node.describe("a"), full.looseObject({})) as full.ZodType<Node>],
  ];

  test.each(ways)(
    "[PR10] a lazy one that refers to itself %s is accepted, described, and reads its values",
    (_name, refer) => {
      const schema = lazy(refer);
      const protocol = define(schema);
      expect(fingerprint(protocol)).toMatch(/^[0-9a-f]{16}$/);
      expect(JSON.stringify(describeProtocol(protocol).requests["r"]?.input)).toContain('"below"');
      expect(protocol.requests.get("r")?.input.send(value, "input")).toEqual({ ok: true, value: { data: value } });
      expect(protocol.requests.get("r")?.input.receive({ name: "a", below: [{}] }, undefined, "input").ok).toBe(false);
    },
  );

  test.each(ways)("[PR10] one with a getter that refers to itself %s is accepted", (_name, refer) => {
    const schema: full.ZodType<Node> = full.object({
      name: text,
      get below(): full.ZodType<Node[]> {
        return full.array(refer(schema));
      },
    });
    const protocol = define(schema);
    expect(protocol.requests.get("r")?.input.send(value, "input")).toEqual({ ok: true, value: { data: value } });
  });

  test("[PR10] two that contain each other are accepted, from either side", () => {
    const folder: full.ZodType = full.lazy(() => full.object({ files: full.array(file.describe("a file")) }));
    const file: full.ZodType = full.object({
      get in() {
        return folder.meta({ title: "folder" }).nullable();
      },
    });
    for (const [schema, sample] of [
      [folder, { files: [{ in: { files: [] } }] }],
      [file, { in: { files: [{ in: null }] } }],
    ] as const) {
      const protocol = define(schema);
      expect(protocol.requests.get("r")?.input.send(sample, "input")).toEqual({ ok: true, value: { data: sample } });
    }
  });

  test("[PR10] the same schema tells two protocols the same", () => {
    const schema = lazy((node) => node.describe("below"));
    expect(fingerprint(define(schema))).toBe(fingerprint(define(schema)));
  });

  test("[PR10] what one refuses is found behind a reference with describe", () => {
    const node: full.ZodType = full.lazy(() =>
      full.object({ below: full.array(node.describe("a")), at: full.symbol() }),
    );
    expect(refusal(() => node)).toEqual({ at: ".at", reason: "is a symbol, which cannot travel" });
  });

  const direct = "contains itself with no object or list in between, so it could never be read to its end";
  const endless = "contains itself and cannot be left out, so no value has an end; make it optional or nullable";
  const grows =
    "makes a new schema each time it is read, so it never ends; keep the recursive schema in a constant and refer to that";
  const make = (level: number): full.ZodType => full.lazy(() => full.object({ next: make(level + 1).optional() }));
  const broken: readonly [name: string, make: () => Schema, at: string, reason: string][] = [
    [
      "that is itself",
      () => {
        const self: full.ZodType = full.lazy(() => self);
        return self;
      },
      "",
      direct,
    ],
    [
      "that may be itself",
      () => {
        const self: full.ZodType = full.lazy(() => full.union([text, self.optional()]));
        return self;
      },
      "",
      direct,
    ],
    [
      "that always holds itself",
      () => {
        const node: full.ZodType = full.object({
          get next() {
            return node;
          },
        });
        return node;
      },
      ".next",
      endless,
    ],
    [
      "that always holds a copy of itself",
      () => {
        const node: full.ZodType = full.lazy(() => full.tuple([node.describe("a")]));
        return node;
      },
      '["0"]',
      endless,
    ],
    ["that is another one at each level", () => make(0), ".next", grows],
    [
      "whose getter names what is declared later",
      () =>
        full.object({
          a: full.lazy(() => {
            throw new ReferenceError("Cannot access 'later' before initialization");
          }),
        }),
      ".a",
      "could not be read (Cannot access 'later' before initialization); declare every schema before the protocol",
    ],
    [
      "whose getter throws",
      () =>
        full.lazy(() => {
          throw new Error("no such table.");
        }),
      "",
      "could not be read (no such table)",
    ],
    [
      "whose getter gives nothing",
      () => full.object({ a: full.lazy(() => undefined as never).optional() }),
      ".a",
      "is not a zod schema",
    ],
  ];
  test.each(broken)("[PR10] one %s is refused", (_name, schema, at, reason) => {
    expect(refusal(schema)).toEqual({ at, reason });
  });
});

describe("a schema whose result the other side would not read", () => {
  const [sets, maps] = [full.set(text), full.map(text, text)];
  const merged = (kind: string) =>
    `intersects a ${kind} with another schema, which zod cannot merge; declare one z.${kind}()`;
  const again = "overwrites its value again when the other side parses it; convert in your own code instead";
  const noDefault = "has a default that its own schema refuses, so the other side would refuse it";
  test.each<[string, () => unknown, string, string]>([
    ["a default that is too short", () => full.object({ a: text.min(3).default("") }), ".a", noDefault],
    ["a default made by a function that is too short", () => text.min(3).default(() => ""), "", noDefault],
    ["a prefault of another type", () => full.number().prefault("1" as never), "", noDefault],
    [
      "a default of undefined",
      () => text.optional().default(undefined as never),
      "",
      "has undefined as its default; use z.optional()",
    ],
    [
      "a default that is a function",
      () => full.any().default(() => () => 1),
      "",
      "has a function as its default, which cannot travel",
    ],
    [
      "a default that is a symbol",
      () => z._default(z.any(), Symbol("a")),
      "",
      "has a symbol as its default, which cannot travel",
    ],
    [
      "a default that contains itself",
      () => {
        const a: { a?: unknown } = {};
        a.a = a;
        return full.any().default(() => a);
      },
      "",
      "has a default that cannot travel: value.a: contains itself",
    ],
    [
      "a default that is a promise",
      () => full.any().default(() => Promise.reject(new Error("away"))),
      "",
      "has an asynchronous default; fill it in before the value is sent",
    ],
    [
      "a pipe into a number",
      () => text.pipe(full.coerce.number()),
      "",
      "is a pipe that turns string into number, on one side only; declare the second schema",
    ],
    [
      "a pipe into a date, deep inside",
      () => full.object({ a: full.array(text) }).pipe(full.object({ a: full.array(full.coerce.date()) }) as never),
      "",
      "is a pipe that turns string into date at a.(item), on one side only; declare the second schema",
    ],
    [
      "a pipe that takes a field away",
      () =>
        full
          .object({ a: text, b: full.object({ c: text }) })
          .pipe(full.object({ a: text, b: full.object({}) }) as never),
      "",
      "is a pipe that takes b.c away, which the other side needs; declare the second schema",
    ],
    ["an overwrite that adds to a text", () => full.object({ a: text.overwrite((value) => `${value}!`) }), ".a", again],
    ["an overwrite that moves a date", () => full.date().overwrite((at) => new Date(at.getTime() + 1)), "", again],
    ["an overwrite that adds to a list", () => full.array(text).overwrite((list) => [...list, "a"]), "", again],
    ["an overwrite that turns true into false", () => full.boolean().overwrite((value) => !value), "", again],
    ["an overwrite that adds to a bigint", () => full.bigint().overwrite((value) => value + 1n), "", again],
    ["an overwrite of zod/mini", () => z.number().check(z.overwrite((value) => value + 1)), "", again],
    [
      "an intersection of two maps",
      () => full.intersection(full.map(text, text), full.map(text, text)),
      "",
      "intersects a map with another schema, which zod cannot merge; declare one z.map()",
    ],
    [
      "an intersection with a set in a loose object",
      () => full.intersection(full.object({ a: full.set(text) }), full.object({ a: full.any() })),
      "",
      "intersects a set with another schema, which zod cannot merge; declare one z.set()",
    ],
    ["two sets in a list", () => full.intersection(full.array(sets), full.array(sets)), "", merged("set")],
    ["two sets in a tuple", () => full.intersection(full.tuple([sets]), full.array(sets)), "", merged("set")],
    [
      "a map in a record and in an object",
      () => full.intersection(full.record(text, maps), full.object({ a: maps })),
      "",
      merged("map"),
    ],
    [
      "a map in an object that may be null",
      () => full.intersection(full.object({ a: maps }).nullable(), full.object({ a: maps }).nullable()),
      "",
      merged("map"),
    ],
    ["a set and anything", () => full.intersection(full.any(), full.object({ a: sets })), "", merged("set")],
    [
      "NaN in an alternative",
      () => {
        const kinds = full.discriminatedUnion("k", [full.object({ k: full.literal("a"), v: full.nan() })]);
        return full.intersection(kinds, full.looseObject({}));
      },
      "",
      merged("nan"),
    ],
    [
      "two alternatives of one name",
      () => full.discriminatedUnion("k", [full.object({ k: text }), full.object({ k: full.literal("b") })]),
      "",
      'could not be read (Invalid discriminated union option at index "0")',
    ],
    [
      "two alternatives with one value",
      () => {
        const option = full.object({ k: full.literal("a") });
        return full.object({ a: full.discriminatedUnion("k", [option, option.extend({ b: text })]) });
      },
      ".a",
      'could not be read (Duplicate discriminator value "a")',
    ],
    [
      "a field that no page can send",
      () => full.object({ a: full.object({ constructor: full.date() }) }),
      ".a.constructor",
      "has a reserved name, which no page can send; rename it",
    ],
  ])("[PR11] %s is refused", (_name, make, at, reason) => {
    expect(refusal(make)).toEqual({ at, reason });
  });

  test.each<[string, Schema, unknown, unknown]>([
    ["a date", full.date().default(new Date(5)), new Date(5), "1970-01-01T00:00:00.005Z"],
    ["a map", full.map(text, full.bigint()).default(new Map([["a", 1n]])), new Map([["a", 1n]]), [["a", "1"]]],
    ["a big number", z._default(z.bigint(), 12n), 12n, "12"],
    ["a set, as a prefault", full.set(full.bigint()).prefault(new Set([1n])), new Set([1n]), ["1"]],
  ])(
    "[PR11] %s as a default is filled in, and stands in the reference as it stands on the wire",
    (_name, schema, filled, json) => {
      const protocol = define(schema);
      const sent = protocol.requests.get("r")!.input.send(undefined, "input");
      if (!sent.ok) throw new Error(sent.fault.message);
      expect(protocol.requests.get("r")!.input.receive(sent.value.data, sent.value.meta, "input")).toEqual({
        ok: true,
        value: filled,
      });
      expect(describeProtocol(protocol).requests["r"]?.input).toMatchObject({ default: json });
    },
  );

  test("[PR11] two recursive schemas are compared in an instant, though each has many ways through it", () => {
    const tree = (leaf: Schema): full.ZodType =>
      full.object({
        leaf,
        get left() {
          return tree1(leaf).describe("left").nullable();
        },
        get right() {
          return tree1(leaf).describe("right").nullable();
        },
      });
    const made = new Map<Schema, full.ZodType>();
    const tree1 = (leaf: Schema): full.ZodType => made.get(leaf) ?? made.set(leaf, tree(leaf)).get(leaf)!;
    const [one, two] = [tree1(text), tree1(full.string().min(1))];
    expect(() => define(full.intersection(one, two))).not.toThrow();
    expect(() => define(one.pipe(two))).not.toThrow();
  });

  test("[PR11] what zod changes once is accepted: trim, cases, normal forms, bounds", () => {
    const schema = full.object({
      a: text.trim().toLowerCase().normalize("NFD"),
      b: full.number().overwrite(Math.round),
      c: text.pipe(text.min(2)),
      e: full.array(text).overwrite((list) => list.toSorted()),
      f: full.date().overwrite((at) => new Date(Math.floor(at.getTime() / 1_000) * 1_000)),
      d: full.object({ a: text.optional() }).pipe(full.object({ a: text.default("x") })),
    });
    expect(refusal(() => schema)).toBeUndefined();
  });
});

describe("an asynchronous check", () => {
  const known = "has an asynchronous check; make it synchronous, or check this in the handler";
  test.each<[string, () => unknown, string]>([
    ["in refine", () => full.object({ a: text.refine(async () => true) }), ".a"],
    ["in refine of zod/mini", () => z.object({ a: z.string().check(z.refine(async () => true)) }), ".a"],
    ["in check", () => text.check(async () => {}), ""],
    ["in custom", () => full.array(full.custom(async () => true)), ".(item)"],
    ["in catch", () => full.any().catch(async () => 1), ""],
    ["in overwrite", () => text.overwrite((async (value: string) => value) as never), ""],
    [
      "in an overwrite that returns a promise",
      () => text.overwrite((value) => Promise.reject(new Error(value)) as never),
      "",
    ],
    [
      "in property",
      () =>
        full.object({ a: text }).check(
          z.property(
            "a",
            text.refine(async () => true),
          ),
        ),
      ".a",
    ],
    [
      "in properties",
      () => full.object({ a: text }).check(full.properties({ a: text.refine(async () => true) })),
      ".a",
    ],
    ["in a string format", () => full.stringFormat("even", (async () => true) as never), ""],
    [
      "behind other checks",
      () =>
        text
          .min(1)
          .refine(() => true)
          .refine(async () => true),
      "",
    ],
    ["in a lazy part", () => full.lazy(() => text.refine(async () => true)), ""],
  ])("[PR12] %s is refused when it is defined", (_name, make, at) => {
    expect(refusal(make)).toEqual({ at, reason: known });
  });

  /**
   * What cannot be seen from outside: the first ends in a closure of zod, the second returns the
   * promise of another.
   */
  const hidden: readonly [string, Schema][] = [
    ["superRefine", text.superRefine(async () => Promise.reject(new Error("the database is away")))],
    ["a function that returns a promise", text.refine(() => Promise.reject(new Error("the database is away")))],
    [
      "the second of two",
      text.refine(() => new Promise<boolean>(() => {})).refine(() => Promise.reject(new Error("away"))),
    ],
    [
      "a field",
      full.object({
        a: full.custom(() => Promise.reject(new Error("away"))),
        b: full.custom(() => Promise.reject(new Error("away"))),
      }),
    ],
  ];
  test.each(hidden)(
    "[PR12] %s that turns out to be asynchronous is refused at the first value, with the remedy, and its rejection is handled",
    async (_name, schema) => {
      const unhandled: unknown[] = [];
      const note = (error: unknown): void => void unhandled.push(error);
      process.on("unhandledRejection", note);
      const input = valueSchema(schema);
      const message = "input: cannot be validated, because a check of its schema is asynchronous.";
      const remedy = "Make every check of the protocol synchronous, and check the rest in the handler.";
      for (const checked of [
        input.send({ a: 1, b: 2 }, "input"),
        input.send("a", "input"),
        input.receive("a", undefined, "input"),
      ])
        if (!checked.ok && checked.fault.remedy)
          expect(checked.fault).toMatchObject({ field: "input", message, remedy });
        else expect(checked.ok).toBe(false);
      await new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));
      process.off("unhandledRejection", note);
      expect(unhandled).toEqual([]);
    },
  );
});

describe("the root of a document, a key and what is shown", () => {
  const event = { e: text };
  test.each<[string, Schema, string]>([
    ["a text", text, "expected the schema of an object or a list, but it may be string"],
    ["a date", full.date(), "expected the schema of an object or a list, but it may be date"],
    [
      "an object or a number",
      full.union([full.object({}), full.number()]),
      "expected the schema of an object or a list, but it may be number",
    ],
    [
      "an object or null",
      full.object({}).nullable(),
      "expected the schema of an object or a list, but it may be null; for no document use document.delete()",
    ],
    [
      "an object or nothing",
      full.lazy(() => full.object({}).optional()),
      "expected the schema of an object or a list, but it may be undefined; for no document use document.delete()",
    ],
  ])("[PR13] a document that is %s is refused", (_name, state, reason) => {
    expect(refusalOf({ channels: { c: { document: state } } }, "channels.c.document")).toEqual({ at: "", reason });
  });

  test.each<[string, Schema]>([
    ["a record", full.record(text, text)],
    ["a list behind a default", full.array(text).default([])],
    [
      "objects told apart",
      full.discriminatedUnion("a", [full.object({ a: full.literal(1) }), full.object({ a: full.literal(2) })]),
    ],
    ["a lazy object", full.lazy(() => full.object({}))],
    ["anything", full.unknown()],
  ])("[PR13] a document that is %s is accepted", (_name, state) => {
    expect(refusalOf({ channels: { c: { document: state } } }, "")).toBeUndefined();
  });

  test.each<[string, Schema, string]>([
    ["may be left out", text.optional(), "may be left out, but names the channel; use .default(), or two channels"],
    ["may be null", text.nullable(), "expected the schema of a string, such as z.uuid()"],
    ["has a space", full.enum(["a", "b c"]), 'holds "b c"; a key is printable ASCII without spaces'],
    ["is no ASCII", full.literal("naïve"), 'holds "naïve"; a key is printable ASCII without spaces'],
    ["is an emoji", full.emoji(), "is an emoji; a key is printable ASCII without spaces"],
    ["is a number as text", full.coerce.number(), "expected the schema of a string, such as z.uuid()"],
  ])("[PR13] a key that %s is refused", (_name, key, reason) => {
    expect(refusalOf({ channels: { c: { key: key as Schema<string>, events: event } } }, "channels.c.key")).toEqual({
      at: "",
      reason,
    });
  });

  test.each<[string, Schema]>([
    ["lazy", full.lazy(() => text)],
    ["a pipe of texts", text.pipe(full.uuid())],
    ["a text with a default", text.default("a")],
  ])("[PR13] a key that is %s is accepted", (_name, key) => {
    expect(refusalOf({ channels: { c: { key: key as Schema<string>, events: event } } }, "")).toBeUndefined();
  });

  test("[PR13] presence that is always undefined is refused: undefined shows nothing", () => {
    expect(refusalOf({ channels: { c: { presence: full.undefined() } } }, "channels.c.presence")).toEqual({
      at: "",
      reason: "holds nothing that could be shown; use z.object({}) to show only who is there",
    });
  });
});

describe("what is no schema of this zod", () => {
  test.each<[string, () => unknown, string]>([
    [
      "a schema of another library",
      () => ({ "~standard": { vendor: "valibot" } }),
      "is a schema of valibot; Holdfast needs zod 4 (npm install zod@4)",
    ],
    [
      "one that is a function",
      () => Object.assign(() => 1, { "~standard": { vendor: "arktype" } }),
      "is a schema of arktype; Holdfast needs zod 4 (npm install zod@4)",
    ],
    ["a function of zod that was not called", () => full.string, "is a function; call it, as in z.string()"],
    [
      "a schema of zod 3",
      () => ({ _def: {}, parse() {}, "~standard": { vendor: "zod" } }),
      "is a schema of zod 3; Holdfast needs zod 4 (npm install zod@4)",
    ],
    ["an object that only looks like one", () => ({ _zod: {} }), "is not a zod schema"],
    [
      "a schema of a kind that is not known",
      () => ({ _zod: { def: { type: "quaternion" } } }),
      "is of the kind quaternion, which Holdfast does not know",
    ],
    [
      "a class whose instances are meant",
      () => z.instanceof(Uint8Array).check(z.refine(() => true)),
      "is an instance of Uint8Array, which cannot travel; encode it in your own code, as in z.base64()",
    ],
    [
      "a class without a name",
      () => full.instanceof(class {}),
      "is an instance of a class, which cannot travel; declare the fields to be sent with z.object()",
    ],
    [
      "a class of another copy of zod",
      () => otherCopy.instanceof(URL),
      "is an instance of URL, which cannot travel; declare the fields to be sent with z.object()",
    ],
  ])("[PR9] %s is refused", (_name, make, reason) => {
    expect(refusal(make)).toEqual({ at: "", reason });
  });

  test("[PR9] schemas of another copy of zod 4 are read as one's own, and can be mixed with them", () => {
    expect(otherCopy.string).not.toBe(full.string);
    const node: full.ZodType = otherCopy.lazy(() =>
      full.object({ at: otherCopy.date(), below: otherCopy.array(node.describe("a")) }),
    );
    const protocol = define(node);
    const value = { at: new Date(5), below: [{ at: new Date(6), below: [] }] };
    const sent = protocol.requests.get("r")!.input.send(value, "input");
    if (!sent.ok) throw new Error(sent.fault.message);
    expect(protocol.requests.get("r")!.input.receive(sent.value.data, sent.value.meta, "input")).toEqual({
      ok: true,
      value,
    });
    expect(valueSchema(otherCopy.string().refine(() => Promise.resolve(true))).send("a", "input")).toMatchObject({
      fault: { message: "input: cannot be validated, because a check of its schema is asynchronous." },
    });
  });
});
