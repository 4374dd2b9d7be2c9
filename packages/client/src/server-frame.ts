import { type ClientMessage, type Codec, type Decoded, type ServerMessage, subprotocols } from "@holdfast/protocol";

/**
 * How the client reads a server. Every frame is checked before anything acts on it, but by this table rather than by the
 * zod schemas of protocol: those, and the parts of zod that nothing else in a browser needs, are a quarter of what a page
 * would download. The schemas stay the authority: server-frame.test.ts holds the table against them, with random damage
 * done to every message. The table may only be more lenient in bounds (lengths, patterns, ranges), which guard a server from
 * its clients and not the other way round, and in words added later, such as a new reason for a `reset`, which must still
 * count as one.
 */
type Shape =
  | "string"
  | "number"
  | "boolean"
  | readonly [Shape]
  | { readonly [field: string]: Shape }
  | ((found: Record<string, unknown>) => Shape);

// A question mark after a field's name means that it may be left out, as in TypeScript.
const error: Shape = {
  code: "string",
  message: "string",
  "field?": "string",
  "remedy?": "string",
  "retry_after_ms?": "number",
};
const position: Shape = { epoch: "string", offset: "number", id: "string" };
const event: Shape = { channel: "string", event: "string" };

const joined: Shape = { channel: "string", "position?": position, "missed?": [event], "reset?": "string" };
const response: Shape = ({ ok }) => (ok === true ? {} : { ok: "boolean", error });

const shapes: { readonly [Type in ServerMessage["type"]]: Shape } = {
  connected: {
    data: {
      session_id: "string",
      "user_id?": "string",
      "device_id?": "string",
      protocol: { name: "string", version: "string", fingerprint: "string" },
      heartbeat: { interval_ms: "number", timeout_ms: "number" },
      limits: { message_bytes: "number", subscriptions: "number", requests_in_flight: "number" },
    },
  },
  auth_response: { data: ({ success }) => (success === true ? {} : { success: "boolean", error }) },
  subscribe_response: {
    data: { results: [({ ok }) => (ok === true ? joined : { ok: "boolean", channel: "string", error })] },
  },
  response: { correlation_id: "string", data: response },
  event,
  reset: { channel: "string", data: { reason: "string" } },
  goaway: { data: { delay_ms: "number" } },
  error: { "channel?": "string", data: error },
  // Of these nothing but the type is looked at.
  ping: {},
  pong: {},
  unsubscribe_response: {},
  subscriptions: {},
  presence: {},
  state_sync: {},
  state_update: {},
  state_deleted: {},
};
const shapeOf = new Map<unknown, Shape>(Object.entries(shapes));

/** The JSON codec as a client needs it. */
export const jsonFrames: Codec<ServerMessage, ClientMessage> = {
  subprotocol: subprotocols.json,
  encode: (message) => JSON.stringify(message),
  decode(frame): Decoded<ServerMessage> {
    let message: unknown;
    try {
      // An escaped letter can hide the name.
      message = JSON.parse(frame as string, /__proto__|\\u/i.test(frame as string) ? refuseProto : undefined);
    } catch (cause) {
      return { ok: false, fault: { field: "", message: "is not valid JSON.", cause } };
    }
    const { type, correlation_id: id } = (message ?? {}) as { type?: unknown; correlation_id?: unknown };
    const shape = shapeOf.get(type);
    const field = shape
      ? (faultIn(message, { "correlation_id?": "string" }, "") ?? faultIn(message, shape, ""))
      : "type";
    if (field === undefined) return { ok: true, message: message as ServerMessage };
    const fault = { field, message: `${field} is not what the protocol says.` };
    return { ok: false, fault, ...(typeof id === "string" && { correlationId: id }) };
  },
};

/** The path of the first field that does not have its shape. */
function faultIn(value: unknown, shape: Shape, path: string): string | undefined {
  if (typeof shape === "string") return typeof value === shape ? undefined : path;
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return path;
    return first(value.keys(), (index) => faultIn(value[index], shape[0] as Shape, `${path}[${index}]`));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return path;
  const fields = value as Record<string, unknown>;
  if (typeof shape === "function") return faultIn(value, shape(fields), path);
  return first(Object.entries(shape), ([field, inner]) => {
    const name = field.replace("?", "");
    const found = fields[name];
    return found === undefined && name !== field ? undefined : faultIn(found, inner, path ? `${path}.${name}` : name);
  });
}

function first<Item>(items: Iterable<Item>, find: (item: Item) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A key that would change a prototype when its object is copied. */
function refuseProto(key: string, value: unknown): unknown {
  if (key === "__proto__") throw new Error("The key __proto__ is not accepted.");
  return value;
}
