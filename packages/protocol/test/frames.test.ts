import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type ClientMessage, clientMessage, jsonCodec, type ServerMessage, serverMessage } from "../src/wire.js";
import { type WireMessage, wireMessages } from "../src/wire-messages.js";

/*
 * The wire, byte by byte. `client.NAME.json` and `server.NAME.json` are frames as they are sent;
 * `refused.NAME.json` are frames that must be refused, with the field and code. A client in another
 * language can be tested against the same files.
 */

const folder = fileURLToPath(new URL("./frames/v1/", import.meta.url));
const codecs = {
  /** What a server reads. */
  client: jsonCodec<ClientMessage, ServerMessage>(clientMessage),
  /** What a client reads. */
  server: jsonCodec<ServerMessage, ClientMessage>(serverMessage),
};

/** A message as its sender encodes it: the codec of the side that reads the other union. */
function encode({ sentBy, example }: WireMessage): string {
  return sentBy === "client"
    ? codecs.server.encode(example as ClientMessage)
    : codecs.client.encode(example as ServerMessage);
}

interface Refusal {
  readonly sentBy: "client" | "server";
  /** The frame as text, or … */
  readonly text?: string;
  /** … a binary frame in base64, or … */
  readonly binary?: string;
  /** … a text put together from a part that repeats, so that the file can be read. */
  readonly repeat?: { readonly before: string; readonly part: string; readonly times: number; readonly after: string };
  readonly field: string;
  /** An example of the text that a person reads. It is not part of the wire. */
  readonly message: string;
  readonly code: string;
  readonly correlation_id?: string;
}

describe("golden frames", () => {
  test.each(wireMessages.map((row) => [`${row.sentBy}.${row.type}`, row] as const))(
    "[WR1] the frame of %s is byte for byte what it was",
    (name, row) => {
      const frame = encode(row);
      const file = `${folder}${name}.json`;
      const golden = existsSync(file) ? readFileSync(file, "utf8") : undefined;
      const advice =
        golden === frame
          ? ""
          : `If this message is new, write the line below to packages/protocol/test/frames/v1/${name}.json. If it was ` +
            "changed, deployed clients will meet it: add fields as optional, or raise PROTOCOL_VERSION.";
      expect({ advice, frame: golden }).toEqual({ advice: "", frame });
    },
  );

  test.each(wireMessages.map((row) => [`${row.sentBy} ${row.type}`, row] as const))(
    "[WR1] the example of %s is read by the other side and comes back whole",
    (_name, row) => {
      const frame = encode(row);
      expect(codecs[row.sentBy].decode(frame)).toEqual({ ok: true, message: row.example });
      const read = codecs[row.sentBy].decode(frame) as { message: WireMessage["example"] };
      expect(JSON.parse(encode({ ...row, example: read.message }))).toEqual(JSON.parse(frame));
    },
  );

  test("[WR1] every golden frame belongs to a message", () => {
    const names = wireMessages.map((row) => `${row.sentBy}.${row.type}.json`);
    const messages = readdirSync(folder).filter((name) => !name.startsWith("refused."));
    expect(messages.sort()).toEqual(names.sort());
  });
});

const refusals = readdirSync(folder)
  .filter((name) => name.startsWith("refused."))
  .map((name) => [name.slice("refused.".length, -".json".length), read(name)] as const);

function read(name: string): Refusal {
  return JSON.parse(readFileSync(folder + name, "utf8")) as Refusal;
}

function frameOf({ text, binary, repeat }: Refusal): string | Uint8Array {
  if (binary !== undefined) return new Uint8Array(Buffer.from(binary, "base64"));
  if (repeat) return repeat.before + repeat.part.repeat(repeat.times) + repeat.after;
  return text as string;
}

describe("refused frames", () => {
  test.each(refusals)("[WR3] %s is refused with its field and correlation id", (_name, refusal) => {
    const decoded = codecs[refusal.sentBy].decode(frameOf(refusal));
    expect(decoded).toEqual({
      ok: false,
      fault: { field: refusal.field, message: expect.any(String) },
      ...(refusal.correlation_id !== undefined && { correlationId: refusal.correlation_id }),
    });
    expect(refusal.code).toBe("BAD_MESSAGE");
  });

  test("[WR3] nothing that was refused has touched a prototype", () => {
    for (const [, refusal] of refusals) codecs[refusal.sentBy].decode(frameOf(refusal));
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
