import { serverMessage } from "@holdfast/protocol/wire";
import * as z from "zod/mini";
import { describe, expect, test } from "vitest";
import { jsonFrames } from "./server-frame.js";

const error = { code: "FORBIDDEN", message: "No.", field: "a", remedy: "Ask.", retry_after_ms: 5, data: { a: 1 } };
const position = { epoch: "b7Qx", offset: 41, id: "9fK2mW" };
const event = {
  type: "event",
  channel: "a",
  event: "b",
  data: { c: [1] },
  meta: {},
  metadata: { offset: 1, id: "x", prev: "" },
};
const link = { offset: 13, id: "t0Lq5e", prev: "p3Vd8s" };
const member = { user_id: "u2", devices: ["phone"], data: {} };

/** Every message with every field it can have, and every branch of its unions. */
const samples = [
  {
    type: "connected",
    data: {
      session_id: "s1",
      user_id: "u1",
      device_id: "d1",
      protocol: { name: "agents", version: "1.0.0", fingerprint: "x" },
      heartbeat: { interval_ms: 1, timeout_ms: 1 },
      limits: { message_bytes: 1, subscriptions: 1, requests_in_flight: 1 },
    },
  },
  { type: "auth_response", data: { success: true, user_id: "u1", device_id: "d1", expires_at: 5 } },
  { type: "auth_response", correlation_id: "1", data: { success: false, error } },
  {
    type: "subscribe_response",
    correlation_id: "2",
    data: {
      success: false,
      subscribed: ["a"],
      results: [
        { ok: true, channel: "a", position, missed: [event] },
        { ok: true, channel: "b", reset: "server" },
        { ok: false, channel: "c", error },
      ],
    },
  },
  { type: "unsubscribe_response", data: { success: true, unsubscribed: ["a"] } },
  { type: "subscriptions", data: { channels: ["a"] } },
  { type: "response", correlation_id: "5", data: { ok: true, output: { a: 1 } }, meta: {} },
  { type: "response", correlation_id: "5", data: { ok: false, error } },
  event,
  { type: "reset", channel: "a", data: { reason: "fork", position } },
  { type: "presence", channel: "a", data: { kind: "change", joined: [member], updated: [], left: ["u3"], count: 2 } },
  { type: "state_sync", channel: "a", data: { state: {}, position, hash: "x" } },
  {
    type: "state_update",
    channel: "a",
    data: { patches: [{ op: "add", path: ["a", 1], value: 1 }], hash: "x" },
    metadata: link,
  },
  { type: "state_deleted", channel: "a", data: { reason: "x" } },
  { type: "ping", correlation_id: "7" },
  { type: "pong" },
  { type: "goaway", data: { reason: "restart", delay_ms: 5 }, metadata: { note: 1 } },
  { type: "error", channel: "a", correlation_id: "8", data: error },
];

/** Messages of which the client looks at nothing but the type. */
const unread = new Set([
  "unsubscribe_response",
  "subscriptions",
  "presence",
  "state_sync",
  "state_update",
  "state_deleted",
]);
/** Fields that the client does not look at, or of which it takes any word. */
const unreadFields =
  /^(metadata|data\.(user_id|device_id|expires_at|success|subscribed|reason)|.*\.?(position|missed\[\d+\]\.(metadata|type|correlation_id)|reset)\b)/;
/** Bounds guard a server from its clients; the table leaves them out. */
function isBound(issue: { code: string; expected?: unknown }, replacement: unknown): boolean {
  return (
    ["too_small", "too_big", "invalid_format"].includes(issue.code) ||
    (issue.expected === "int" && typeof replacement === "number")
  );
}

const decode = (message: unknown) => jsonFrames.decode(JSON.stringify(message));

describe("The table against the schemas", () => {
  test("There is a sample of every message", () => {
    const types = serverMessage.def.options.map((option) => [...option.shape.type.def.values][0]);
    expect(new Set(samples.map(({ type }) => type))).toEqual(new Set(types));
  });

  test.each(samples)("A valid $type is read, with all it holds", (sample) => {
    expect(z.safeParse(serverMessage, sample).error).toBeUndefined();
    expect(decode(sample)).toEqual({ ok: true, message: sample });
  });

  /** Every place in a value, as a path and a way to put something else there. */
  function* places(value: unknown, path: (string | number)[] = []): Generator<(string | number)[]> {
    if (path.length > 0) yield path;
    if (typeof value !== "object" || value === null) return;
    for (const [key, child] of Object.entries(value))
      yield* places(child, [...path, Array.isArray(value) ? Number(key) : key]);
  }
  const absent = Symbol("absent");
  function damaged(sample: object, path: (string | number)[], junk: unknown): object {
    const copy = structuredClone(sample);
    let parent = copy as Record<string | number, unknown>;
    for (const key of path.slice(0, -1)) parent = parent[key] as typeof parent;
    if (junk === absent) delete parent[path.at(-1)!];
    else parent[path.at(-1)!] = junk;
    return copy;
  }
  const junk = [absent, null, true, false, 0, 1.5, "", "x", [], ["x"], [null], {}, { ok: true }];

  const damages = samples.flatMap((sample) =>
    [...places(sample)].flatMap((path) =>
      junk.map((replacement) => {
        const message = damaged(sample, path, replacement);
        const bySchema = z.safeParse(serverMessage, message);
        const field = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`)).join("");
        const unseen = unread.has(sample.type) ? path[0] !== "type" : unreadFields.test(field.slice(1));
        return {
          damage: `${sample.type}${field} = ${String(JSON.stringify(replacement))}`,
          byTable: decode(message).ok,
          bySchema: bySchema.success,
          mayDiffer: unseen || (bySchema.error?.issues ?? []).every((issue) => isBound(issue, replacement)),
        };
      }),
    ),
  );

  test("Whatever single field is damaged, the table is never stricter than the schemas", () => {
    const stricter = damages.filter(({ byTable, bySchema }) => bySchema && !byTable);
    expect(stricter.map(({ damage }) => damage)).toEqual([]);
    expect(damages.filter(({ bySchema }) => bySchema).length).toBeGreaterThan(100);
  });

  test("It is as strict as they are, wherever the client looks and a type is at stake", () => {
    const laxer = damages.filter(({ byTable, bySchema, mayDiffer }) => !bySchema && byTable && !mayDiffer);
    expect(laxer.map(({ damage }) => damage)).toEqual([]);
    expect(damages.filter(({ bySchema, mayDiffer }) => !bySchema && !mayDiffer).length).toBeGreaterThan(500);
  });

  test("A reset for a reason this version has not heard of is still a reset", () => {
    expect(decode({ type: "reset", channel: "a", data: { reason: "newer" } }).ok).toBe(true);
  });
});

describe("A frame that cannot be read", () => {
  test.each([
    "",
    "{",
    "null",
    "1",
    '"x"',
    "[]",
    "{}",
    '{"type":"constructor"}',
    '{"type":["ping"]}',
    '{"type":"auth"}',
  ])("%s is refused", (frame) => {
    expect(jsonFrames.decode(frame).ok).toBe(false);
  });

  test("A binary frame is refused", () => {
    expect(jsonFrames.decode(new TextEncoder().encode('{"type":"ping"}')).ok).toBe(false);
  });

  test.each([
    '{"type":"event","channel":"a","event":"b","data":{"__proto__":{"x":1}}}',
    '{"type":"ping","\\u005f_proto__":1}',
  ])("%s is refused for its __proto__, however it is written", (frame) => {
    expect(jsonFrames.decode(frame).ok).toBe(false);
  });

  test("The first wrong field is named, and the correlation id is kept where it can be read", () => {
    const bad = { type: "response", correlation_id: "5", data: { ok: false, error: { code: "X" } } };
    expect(decode(bad)).toMatchObject({ ok: false, correlationId: "5", fault: { field: "data.error.message" } });
    const results = [{ ok: true, channel: "a" }, { ok: true }];
    expect(decode({ type: "subscribe_response", correlation_id: 5, data: { results } })).toEqual({
      ok: false,
      fault: {
        field: "correlation_id",
        message: "correlation_id is not what the protocol says.",
      },
    });
    expect(decode({ type: "subscribe_response", data: { results } })).toMatchObject({
      fault: { field: "data.results[1].channel" },
    });
  });

  test("Whatever is encoded is what the protocol's message says", () => {
    expect(JSON.parse(jsonFrames.encode({ type: "cancel", correlation_id: "5" }))).toEqual({
      type: "cancel",
      correlation_id: "5",
    });
    expect(jsonFrames.subprotocol).toBe("holdfast.v1.json");
  });
});
