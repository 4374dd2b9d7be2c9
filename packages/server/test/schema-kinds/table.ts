import type { Schema } from "@holdfast/protocol";
import * as z from "zod";

/**
 * The expected behaviour of one schema. A `Refused` row expects that every place refuses the
 * schema. A `Works` row expects that all places accept the schema, except for the restrictions of
 * `shown` and `also`.
 */
export type Row = Works | Refused;

export interface Works {
  readonly schema: Schema;
  /** The value that is sent. `arrives` is the received value if it differs. */
  readonly value: unknown;
  readonly arrives?: unknown;
  /**
   * The value shown as presence if `value` is undefined, because `set(undefined)` shows nothing. If
   * both are undefined, presence refuses the schema.
   */
  readonly shown?: unknown;
  /**
   * The restricted places that accept the schema: document, channel key, connection parameters.
   * Omitted places refuse it.
   */
  readonly also?: readonly ("document" | "key" | "parameters")[];
}

interface Refused {
  readonly schema: Schema;
  /** The cause that the error's message must name. If empty, the message may name any cause. */
  readonly refused: string;
}

const text = z.string();
const TEXT = { also: ["key", "parameters"] } as const;
const DOCUMENT = { also: ["document"] } as const;

type Tree = { name: string; children: Tree[] };
const lazyTree: z.ZodType<Tree> = z.lazy(() =>
  z.object({ name: text, children: z.array(lazyTree.describe("those below")) }),
);
const refinedTree: z.ZodType<Tree> = z.lazy(() =>
  z.object({ name: text, children: z.array(refinedTree.refine(({ name }) => name !== "")) }),
);
const getterTree = z.object({
  name: text,
  get children() {
    return z.array(getterTree.meta({ title: "child" }));
  },
});
const tree: Tree = { name: "a", children: [{ name: "b", children: [] }] };

type Folder = { files: { in: Folder | null }[] };
const folder: z.ZodType<Folder> = z.lazy(() => z.object({ files: z.array(file.meta({ title: "file" })) }));
const file = z.object({
  get in() {
    return folder.brand("Folder").nullable();
  },
});

type Chain = { next?: Chain | undefined; by: { [name: string]: Chain }; pair: [Chain | null, string | Chain] };
const chain: z.ZodType<Chain> = z.lazy(() =>
  z.object({
    next: chain.optional().describe("the next one"),
    by: z.record(text, chain.readonly()),
    pair: z.tuple([chain.nullable(), z.union([text, chain.meta({ title: "a" })])]),
  }),
);
const link: Chain = { by: {}, pair: [null, "a"] };

const words = (schema: Schema, value: string): Row => ({ schema, value, ...TEXT });
const refused = (schema: Schema, names = ""): Row => ({ schema, refused: names });
const transform = "transform";
const codec = "codec";

/**
 * At least one row for each schema class of zod, by class name. A test compares the names with
 * zod's exports.
 */
export const kinds: { readonly [zodClass: string]: readonly Row[] } = {
  ZodString: [
    words(text, "a"),
    words(z.string().toLowerCase().trim(), "abc"),
    words(z.coerce.string(), "a"),
    words(z.string().normalize().slugify(), "a-b"),
    words(z.string().default("a"), "b"),
    refused(
      z.string().refine(async () => true),
      "asynchronous",
    ),
    refused(z.string().overwrite((value) => `${value}!`)),
  ],
  ZodEmail: [words(z.email(), "a@example.com")],
  ZodGUID: [words(z.guid(), "0193e2a4-5b7c-7d21-9c3e-4f5a6b7c8d9e")],
  ZodUUID: [
    words(z.uuid(), "0193e2a4-5b7c-7d21-9c3e-4f5a6b7c8d9e"),
    words(z.uuidv7(), "0193e2a4-5b7c-7d21-9c3e-4f5a6b7c8d9e"),
  ],
  ZodURL: [words(z.url(), "https://example.com/a"), words(z.url({ normalize: true }), "https://example.com/")],
  ZodEmoji: [{ schema: z.emoji(), value: "👍", also: ["parameters"] }],
  ZodNanoID: [words(z.nanoid(), "V1StGXR8_Z5jdHi6B-myT")],
  ZodCUID: [words(z.cuid(), "cjld2cjxh0000qzrmn831i7rn")],
  ZodCUID2: [words(z.cuid2(), "tz4a98xxat96iws9zmbrgj3a")],
  ZodULID: [words(z.ulid(), "01ARZ3NDEKTSV4RRFFQ69G5FAV")],
  ZodXID: [words(z.xid(), "9m4e2mr0ui3e8a215n4g")],
  ZodKSUID: [words(z.ksuid(), "0ujtsYcgvSTl8PAuAdqWYSMnLOv")],
  ZodISODateTime: [words(z.iso.datetime(), "2026-01-15T09:30:00.000Z")],
  ZodISODate: [words(z.iso.date(), "2026-01-15")],
  ZodISOTime: [words(z.iso.time(), "09:30:00")],
  ZodISODuration: [words(z.iso.duration(), "PT5M")],
  ZodIPv4: [words(z.ipv4(), "192.0.2.1")],
  ZodIPv6: [words(z.ipv6(), "2001:db8::1")],
  ZodMAC: [words(z.mac(), "00:00:5e:00:53:01")],
  ZodCIDRv4: [words(z.cidrv4(), "192.0.2.0/24")],
  ZodCIDRv6: [words(z.cidrv6(), "2001:db8::/32")],
  ZodBase64: [words(z.base64(), "SGVsbG8=")],
  ZodBase64URL: [words(z.base64url(), "SGVsbG8")],
  ZodE164: [words(z.e164(), "+442079460000")],
  ZodCreditCard: [words(z.creditCard(), "4111111111111111")],
  ZodIBAN: [words(z.iban(), "GB82WEST12345698765432")],
  ZodJWT: [words(z.jwt(), "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl")],
  ZodCustomStringFormat: [
    words(z.hostname(), "example.com"),
    words(z.hex(), "00ff"),
    words(
      z.stringFormat("even", (value) => value.length % 2 === 0),
      "ab",
    ),
  ],
  ZodTemplateLiteral: [words(z.templateLiteral(["b-", z.number()]), "b-1")],
  ZodNumber: [
    { schema: z.number(), value: 1.5 },
    { schema: z.coerce.number(), value: 2, also: ["parameters"] },
    refused(z.number().overwrite((value) => value * 2)),
  ],
  ZodNumberFormat: [
    { schema: z.int(), value: 7 },
    { schema: z.float32(), value: 0.5 },
    { schema: z.uint32(), value: 9 },
  ],
  ZodBoolean: [
    { schema: z.boolean(), value: true },
    { schema: z.coerce.boolean(), value: true },
  ],
  ZodBigInt: [
    { schema: z.bigint(), value: 12n },
    { schema: z.coerce.bigint(), value: 12n, also: ["parameters"] },
  ],
  ZodBigIntFormat: [
    { schema: z.int64(), value: -12n },
    { schema: z.uint64(), value: 12n },
  ],
  ZodDate: [
    { schema: z.date(), value: new Date(5) },
    { schema: z.coerce.date(), value: new Date(5), also: ["parameters"] },
  ],
  ZodNull: [{ schema: z.null(), value: null }],
  ZodUndefined: [{ schema: z.undefined(), value: undefined }],
  ZodVoid: [{ schema: z.void(), value: undefined }],
  ZodNaN: [{ schema: z.nan(), value: Number.NaN }],
  ZodAny: [
    { schema: z.any(), value: { at: new Date(5) }, ...DOCUMENT },
    refused(
      z.any().default(() => () => 1),
      "function",
    ),
  ],
  ZodUnknown: [{ schema: z.unknown(), value: [1, "a"], ...DOCUMENT }],
  ZodNever: [
    refused(z.never()),
    { schema: z.strictObject({ a: text, b: z.never().optional() }), value: { a: "a" }, ...DOCUMENT },
  ],
  ZodLiteral: [
    words(z.literal(["a", "b"]), "b"),
    { schema: z.literal([1, null, true]), value: null },
    { schema: z.literal([12n, "a"]), value: 12n },
    { schema: z.literal(["a", undefined]), value: undefined, shown: "a", also: ["parameters"] },
    refused(z.literal([1, Number.NaN]), "NaN"),
  ],
  ZodEnum: [words(z.enum(["a", "b"]), "b"), { schema: z.enum({ one: 1, two: "two" }), value: 1 }, refused(z.enum([]))],
  ZodObject: [
    { schema: z.object({ a: text.optional(), b: z.date() }), value: { b: new Date(5) }, ...DOCUMENT },
    { schema: z.looseObject({ a: text }), value: { a: "a", b: 1 }, ...DOCUMENT },
    { schema: z.object({ a: text }).catchall(z.number()), value: { a: "a", b: 1 }, ...DOCUMENT },
    { schema: getterTree, value: tree, ...DOCUMENT },
    refused(z.object({ a: z.instanceof(URL) }), "URL"),
  ],
  ZodArray: [
    { schema: z.array(z.bigint()).min(1), value: [1n], ...DOCUMENT },
    { schema: z.array(text.optional()), value: ["a", undefined], ...DOCUMENT },
  ],
  ZodTuple: [{ schema: z.tuple([text, z.date().optional()], z.number()), value: ["a", new Date(5), 1], ...DOCUMENT }],
  ZodRecord: [
    { schema: z.record(text, z.number()), value: { a: 1 }, ...DOCUMENT },
    { schema: z.record(z.enum(["a", "b"]), z.number()), value: { a: 1, b: 2 }, ...DOCUMENT },
    { schema: z.partialRecord(z.enum(["a", "b"]), z.number()), value: { a: 1 }, ...DOCUMENT },
    { schema: z.looseRecord(z.string().regex(/^x/), z.number()), value: { x1: 1, y: "b" }, ...DOCUMENT },
    { schema: z.record(z.number(), text), value: { 1: "a" }, ...DOCUMENT },
    refused(z.record(z.symbol(), text), "symbol"),
    refused(z.record(z.date() as never, text)),
  ],
  ZodMap: [
    { schema: z.map(text, z.date()), value: new Map([["a", new Date(5)]]), ...DOCUMENT },
    {
      schema: z.map(z.object({ id: z.int() }), z.set(text)),
      value: new Map([[{ id: 1 }, new Set(["a"])]]),
      ...DOCUMENT,
    },
  ],
  ZodSet: [{ schema: z.set(z.bigint()), value: new Set([1n, 2n]), ...DOCUMENT }],
  ZodUnion: [
    words(z.union([z.literal("all"), z.uuid()]), "all"),
    { schema: z.union([text, z.object({ at: z.date() })]), value: { at: new Date(5) } },
    { schema: z.union([z.array(text), z.object({ a: text })]), value: ["a"], ...DOCUMENT },
    refused(z.union([text, z.promise(text)]), "promise"),
  ],
  ZodXor: [{ schema: z.xor([z.object({ a: text }), z.object({ b: text })]), value: { b: "b" }, ...DOCUMENT }],
  ZodDiscriminatedUnion: [
    {
      schema: z.discriminatedUnion("type", [
        z.object({ type: z.literal("a"), at: z.date() }),
        z.object({ type: z.literal("b") }),
      ]),
      value: { type: "a", at: new Date(5) },
      ...DOCUMENT,
    },
  ],
  ZodIntersection: [
    {
      schema: z.intersection(z.object({ a: text }), z.object({ b: z.date() })),
      value: { a: "a", b: new Date(5) },
      ...DOCUMENT,
    },
    words(z.intersection(text, z.uuid()), "0193e2a4-5b7c-7d21-9c3e-4f5a6b7c8d9e"),
    refused(z.intersection(z.set(text), z.set(text))),
    refused(z.intersection(text, z.number())),
  ],
  ZodOptional: [
    { schema: z.string().optional(), value: "a", also: ["parameters"] },
    { schema: z.object({ a: text.optional() }).optional(), value: { a: "a" } },
  ],
  ZodExactOptional: [{ schema: z.object({ a: z.exactOptional(text) }), value: {}, ...DOCUMENT }],
  ZodNullable: [
    { schema: z.date().nullable(), value: null },
    { schema: z.object({}).nullish(), value: {} },
  ],
  ZodNonOptional: [words(z.string().optional().nonoptional(), "a")],
  ZodDefault: [
    { schema: z.date().default(new Date(7)), value: undefined, arrives: new Date(7), shown: new Date(8) },
    {
      schema: z.map(text, z.bigint()).default(new Map([["a", 1n]])),
      value: undefined,
      arrives: new Map([["a", 1n]]),
      shown: new Map(),
      ...DOCUMENT,
    },
    { schema: z.object({ a: z.bigint().default(1n) }), value: {}, arrives: { a: 1n }, ...DOCUMENT },
    { schema: z.string().default(() => "made"), value: undefined, arrives: "made", shown: "b", ...TEXT },
    refused(z.string().min(3).default(""), "default"),
    refused(z.any().default(undefined), "undefined"),
    refused(
      z.any().default(async () => 1),
      "asynchronous",
    ),
  ],
  ZodPrefault: [
    { schema: z.string().trim().prefault(" a "), value: undefined, arrives: "a", shown: "b", ...TEXT },
    refused(z.string().min(3).prefault("a"), "default"),
  ],
  ZodCatch: [
    words(z.string().catch("a"), "b"),
    { schema: z.bigint().catch(1n), value: 2n },
    { schema: z.number().catch(({ error }) => error.issues.length), value: "no number", arrives: 1 },
    refused(
      z.any().catch(async () => 1),
      "asynchronous",
    ),
  ],
  ZodReadonly: [
    { schema: z.object({ a: text }).readonly(), value: { a: "a" }, ...DOCUMENT },
    words(z.string().readonly(), "a"),
  ],
  ZodLazy: [
    words(
      z.lazy(() => text),
      "a",
    ),
    { schema: lazyTree, value: tree, ...DOCUMENT },
    { schema: refinedTree, value: tree, ...DOCUMENT },
    { schema: folder, value: { files: [{ in: { files: [{ in: null }] } }] }, ...DOCUMENT },
    { schema: chain, value: { next: link, by: { a: link }, pair: [link, link] }, ...DOCUMENT },
    { schema: z.json(), value: [1, { a: null }] },
  ],
  ZodPipe: [
    words(z.string().pipe(z.string().min(1)), "a"),
    { schema: z.unknown().pipe(z.number()), value: 1 },
    refused(z.string().pipe(z.coerce.number()), "pipe"),
    refused(z.object({ a: text, b: text }).pipe(z.object({ a: text }) as never), "pipe"),
    refused(z.string().transform(Number), transform),
  ],
  ZodPreprocess: [refused(z.preprocess(Number, z.number()), transform)],
  ZodTransform: [
    refused(
      z.transform((value) => value),
      transform,
    ),
  ],
  ZodCodec: [
    refused(z.codec(text, z.date(), { decode: (value) => new Date(value), encode: String }), codec),
    refused(z.stringbool(), codec),
  ],
  ZodSuccess: [refused(z.success(text))],
  ZodCustom: [
    { schema: z.custom<{ a: string }>((value) => typeof value === "object"), value: { a: "a" }, ...DOCUMENT },
    refused(
      z.custom(async () => true),
      "asynchronous",
    ),
  ],
  ZodInstanceOf: [
    refused(z.instanceof(Uint8Array), "Uint8Array"),
    refused(
      z
        .instanceof(Uint8Array)
        .refine(({ length }) => length > 0)
        .describe("bytes"),
      "Uint8Array",
    ),
    refused(z.instanceof(Date), "z.date()"),
  ],
  ZodSymbol: [refused(z.symbol(), "symbol")],
  ZodFunction: [refused(z.function() as never, "function")],
  ZodPromise: [refused(z.promise(text), "promise")],
  ZodFile: [refused(z.file(), "file")],
};
