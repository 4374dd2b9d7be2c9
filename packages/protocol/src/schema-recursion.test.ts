import * as full from "zod";
import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import { define, refusalOfInput } from "../test/refusals.js";
import { saying } from "../test/saying.js";
import { describe as describeProtocol, fingerprint } from "./describe.js";
import type { Schema } from "./schema.js";

const text = full.string();

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
    ["without a wrapper", (node) => node],
    ["with describe", (node) => node.describe("below")],
    ["with meta", (node) => node.meta({ title: "below" })],
    ["with refine", (node) => node.refine(({ name }) => name !== "")],
    ["with a refinement of zod/mini", (node) => node.check(z.refine(({ name }) => name !== ""))],
    ["with a brand", (node) => node.brand("Node") as unknown as full.ZodType<Node>],
    ["with readonly", (node) => node.readonly() as full.ZodType<Node>],
    [
      "with several of these",
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
    "[PR10] a lazy schema that refers to itself %s is accepted, described, and validates values",
    (_name, refer) => {
      const schema = lazy(refer);
      const protocol = define(schema);
      expect(fingerprint(protocol)).toMatch(/^[0-9a-f]{16}$/);
      expect(JSON.stringify(describeProtocol(protocol).requests["r"]?.input)).toContain('"below"');
      expect(protocol.requests.get("r")?.input.send(value, "input")).toEqual({ ok: true, value: { data: value } });
      expect(protocol.requests.get("r")?.input.receive({ name: "a", below: [{}] }, undefined, "input").ok).toBe(false);
    },
  );

  test.each(ways)("[PR10] an object with a getter that refers to itself %s is accepted", (_name, refer) => {
    const schema: full.ZodType<Node> = full.object({
      name: text,
      get below(): full.ZodType<Node[]> {
        return full.array(refer(schema));
      },
    });
    const protocol = define(schema);
    expect(protocol.requests.get("r")?.input.send(value, "input")).toEqual({ ok: true, value: { data: value } });
  });

  test("[PR10] two schemas that contain each other are accepted, whichever of the two the protocol names", () => {
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

  test("[PR10] a recursive schema gives two protocols the same fingerprint", () => {
    const schema = lazy((node) => node.describe("below"));
    expect(fingerprint(define(schema))).toBe(fingerprint(define(schema)));
  });

  test("[PR10] `defineProtocol` finds a fault behind a reference that `describe` has copied", () => {
    const node: full.ZodType = full.lazy(() =>
      full.object({ below: full.array(node.describe("a")), at: full.symbol() }),
    );
    expect(refusalOfInput(() => node)).toEqual({ at: ".at", message: saying("symbol") });
  });

  const make = (level: number): full.ZodType => full.lazy(() => full.object({ next: make(level + 1).optional() }));
  const broken: [name: string, make: () => Schema, at: string, ...facts: string[]][] = [
    [
      "that refers only to itself",
      () => {
        const self: full.ZodType = full.lazy(() => self);
        return self;
      },
      "",
    ],
    [
      "that is a union with itself",
      () => {
        const self: full.ZodType = full.lazy(() => full.union([text, self.optional()]));
        return self;
      },
      "",
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
      "optional",
      "nullable",
    ],
    [
      "that always holds a copy of itself",
      () => {
        const node: full.ZodType = full.lazy(() => full.tuple([node.describe("a")]));
        return node;
      },
      '["0"]',
      "optional",
      "nullable",
    ],
    ["that is a new schema at each level", () => make(0), ".next", "constant"],
    [
      "whose getter names a constant that is declared later",
      () =>
        full.object({
          a: full.lazy(() => {
            throw new ReferenceError("Cannot access 'later' before initialization");
          }),
        }),
      ".a",
      "Cannot access 'later' before initialization",
      "declare every schema before the protocol",
    ],
    [
      "whose getter throws",
      () =>
        full.lazy(() => {
          throw new Error("no such table.");
        }),
      "",
      "no such table",
    ],
    ["whose getter returns undefined", () => full.object({ a: full.lazy(() => undefined as never).optional() }), ".a"],
  ];
  test.each(broken)("[PR10] a schema %s is refused", (_name, schema, at, ...facts) => {
    expect(refusalOfInput(schema)).toEqual({ at, message: saying(...facts) });
  });
});
