import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { saying } from "../../test/saying.js";
import { type ClientMessage, clientMessage } from "../client-message.js";
import { wireMessages } from "../wire-messages.js";
import { type ServerMessage, serverMessage } from "../server-message.js";
import { jsonCodec } from "./json.js";
import { MAX_STATE_DEPTH, MAX_VALUE_DEPTH } from "./shape.js";

const server = jsonCodec<ClientMessage, ServerMessage>(clientMessage);
const client = jsonCodec<ServerMessage, ClientMessage>(serverMessage);

const request = (input: string): string =>
  `{"type":"request","correlation_id":"5","data":{"name":"a","input":${input}}}`;

describe("reading a frame", () => {
  test("[WR4] a frame with 32 levels, or a list of 10,000 members, is accepted", () => {
    expect(server.decode(request("[".repeat(30) + "]".repeat(30))).ok).toBe(true);
    expect(server.decode(request(`[${Array(10_000).fill(0).join(",")}]`)).ok).toBe(true);
  });

  test("[WR4] brackets and commas inside strings do not count", () => {
    const text = JSON.stringify('[[{{,\\"'.repeat(5_000));
    expect(server.decode(request(text)).ok).toBe(true);
    expect(server.decode(request('"\\\\"')).ok).toBe(true);
  });

  test("[WR5] `__proto__` as a value, or as part of a longer name, is accepted", () => {
    expect(server.decode(request('{"a":"__proto__","__proto__x":1}'))).toMatchObject({
      ok: true,
      message: { data: { input: { a: "__proto__", __proto__x: 1 } } },
    });
  });

  test("[WR6] complete surrogate pairs are read, escaped or not", () => {
    expect(server.decode(request('"\\ud83d\\udc4d 👍"'))).toMatchObject({ message: { data: { input: "👍 👍" } } });
  });

  test("[WR6] if the application's value has a field twice, the last value counts, as in JSON.parse", () => {
    expect(server.decode(request('{"a":1,"a":2}'))).toMatchObject({ ok: true, message: { data: { input: { a: 2 } } } });
  });

  test("[WR7] unknown fields of a message are dropped, and the message is read", () => {
    expect(server.decode('{"type":"ping","shape":"round","data":{}}')).toEqual({ ok: true, message: { type: "ping" } });
    expect(server.decode('{"type":"auth","data":{"token":"t","colour":"red"}}')).toEqual({
      ok: true,
      message: { type: "auth", data: { token: "t" } },
    });
  });

  test("[WR8] `decode` gives a refused frame's own correlation id, even if the data of the frame contains another", () => {
    const nested = '{"type":"request","data":{"input":{"correlation_id":"theirs"}},"correlation_id":"ours"}';
    expect(server.decode(nested)).toMatchObject({ ok: false, correlationId: "ours" });
  });

  test("[WR8] `decode` gives the correlation id of a frame that is refused before parsing", () => {
    expect(server.decode(request("[".repeat(40)))).toMatchObject({ ok: false, correlationId: "5" });
    expect(server.decode('{"type":"request","correlation_id":"6",')).toMatchObject({ ok: false, correlationId: "6" });
  });

  test("[WR8] `decode` does not give an invalid correlation id", () => {
    for (const id of ['""', "5", `"${"x".repeat(65)}"`, "null", "{}"]) {
      const decoded = server.decode(`{"type":"nope","correlation_id":${id}}`);
      expect(decoded).not.toHaveProperty("correlationId");
    }
  });
});

/**
 * Any JSON value that can be sent: shallow enough, without half surrogate pairs and without
 * `__proto__`.
 */
const jsonValue = fc
  .jsonValue({ maxDepth: 6, stringUnit: "grapheme" })
  .filter((value) => !JSON.stringify(value).includes("__proto__"));

describe("properties", () => {
  test("[WR1] the other side reads exactly the JSON that an application sends", () => {
    fc.assert(
      fc.property(jsonValue, fc.string({ minLength: 1, maxLength: 64, unit: "grapheme-ascii" }), (value, id) => {
        const message: ClientMessage = { type: "request", correlation_id: id, data: { name: "a", input: value } };
        const expected = JSON.parse(JSON.stringify(message)) as ClientMessage;
        expect(server.decode(client.encode(message))).toEqual({ ok: true, message: expected });
      }),
    );
  });

  test("[WR3] `decode` does not throw for any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json(), fc.string({ unit: "grapheme" })), (text) => {
        for (const codec of [server, client]) expect(typeof codec.decode(text).ok).toBe("boolean");
      }),
      { numRuns: 1_000 },
    );
  });

  test("[WR3] `decode` does not throw for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const codec of [server, client]) expect(codec.decode(bytes).ok).toBe(false);
        for (const codec of [server, client])
          expect(typeof codec.decode(Buffer.from(bytes).toString("latin1")).ok).toBe("boolean");
      }),
    );
  });

  test("[WR3] `decode` does not throw for any mutation of a valid frame, and every refusal gives a reason", () => {
    const frames = wireMessages.map(({ example }) => JSON.stringify(example));
    const pieces = fc.constantFrom(
      '"',
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "\\",
      "null",
      "1e400",
      "-",
      '"__proto__":1,',
      "\\ud800",
      "\u0000",
      "type",
      "data",
    );
    const mutation = fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 12 }),
      insert: fc.oneof(pieces, fc.string({ maxLength: 4 }), fc.constant("")),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...frames),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (frame, mutations) => {
          let text = frame;
          for (const { at, remove, insert } of mutations) {
            const index = at % (text.length + 1);
            text = text.slice(0, index) + insert + text.slice(index + remove);
          }
          for (const codec of [server, client]) {
            const decoded = codec.decode(text);
            if (!decoded.ok) expect(decoded.fault.message).toEqual(saying(decoded.fault.field, ": "));
          }
        },
      ),
      { numRuns: 10_000 },
    );
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("[WR4] a value at the depth limit fits into every message that can carry it", () => {
    let value: unknown = 1;
    for (let level = 0; level < MAX_VALUE_DEPTH; level++) value = [value];
    const event: ServerMessage = { type: "event", channel: "a", event: "b", data: value };
    let document: unknown = 1;
    for (let level = 0; level < MAX_STATE_DEPTH; level++) document = [document];
    const update: ServerMessage = {
      type: "state_update",
      channel: "a",
      data: { version: 1, patches: [{ op: "add", path: [], value: document }] },
      metadata: { offset: 1, id: "a", prev: "" },
    };
    const messages: ServerMessage[] = [
      event,
      update,
      {
        type: "subscribe_response",
        data: {
          success: true,
          subscribed: ["a"],
          results: [{ ok: true, channel: "a", missed: [event, update] as never }],
        },
      },
      { type: "response", correlation_id: "1", data: { ok: false, error: { code: "A", message: "a", data: value } } },
      {
        type: "presence",
        channel: "a",
        data: { kind: "change", joined: [{ user_id: "u", devices: [], data: value }], updated: [], left: [], count: 1 },
      },
    ];
    for (const message of messages) expect(client.decode(server.encode(message))).toEqual({ ok: true, message });
  });
});
