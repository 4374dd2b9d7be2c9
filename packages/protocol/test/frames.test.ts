import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type ClientMessage, clientMessage, jsonCodec, type ServerMessage, serverMessage } from "../src/wire.js";
import { type WireMessage, wireMessages } from "../src/wire-messages.js";

/*
 * The wire format, byte for byte. `client.NAME.json` and `server.NAME.json` are frames as client
 * and server send them. `refused.NAME.json` are frames that a codec must refuse, each with the
 * field and the code of the refusal. Clients in other languages can be tested against the same
 * files.
 */

const folder = fileURLToPath(new URL("./frames/v1/", import.meta.url));
const codecs = {
  /** The codec of a server. */
  client: jsonCodec<ClientMessage, ServerMessage>(clientMessage),
  /** The codec of a client. */
  server: jsonCodec<ServerMessage, ClientMessage>(serverMessage),
};

/**
 * The frame of a message. The codec of a side encodes the messages of that side, and decodes the
 * messages of the other side.
 */
function encode({ sentBy, example }: WireMessage): string {
  return sentBy === "client"
    ? codecs.server.encode(example as ClientMessage)
    : codecs.client.encode(example as ServerMessage);
}

interface Refusal {
  readonly sentBy: "client" | "server";
  /** The frame as a string. A refusal has exactly one of `text`, `binary` and `repeat`. */
  readonly text?: string;
  /** A binary frame in base64. */
  readonly binary?: string;
  /** A string with a repeated part, which keeps the file short. */
  readonly repeat?: { readonly before: string; readonly part: string; readonly times: number; readonly after: string };
  readonly field: string;
  /** An example of the text for people. The text is not part of the wire and not compared. */
  readonly message: string;
  readonly code: string;
  readonly correlation_id?: string;
}

describe("golden frames", () => {
  test.each(wireMessages.map((row) => [`${row.sentBy}.${row.type}`, row] as const))(
    "[WR1] the frame of %s equals its golden frame, byte for byte",
    (name, row) => {
      const frame = encode(row);
      const file = `${folder}${name}.json`;
      const golden = existsSync(file) ? readFileSync(file, "utf8") : undefined;
      const advice =
        golden === frame
          ? ""
          : `If this message is new, write the line below to packages/protocol/test/frames/v1/${name}.json. If an existing ` +
            "message changed, deployed clients receive the new form: make new fields optional, or raise PROTOCOL_VERSION.";
      expect({ advice, frame: golden }).toEqual({ advice: "", frame });
    },
  );

  test.each(wireMessages.map((row) => [`${row.sentBy} ${row.type}`, row] as const))(
    "[WR1] the other side decodes the example of %s and encodes it to the same frame",
    (_name, row) => {
      const frame = encode(row);
      expect(codecs[row.sentBy].decode(frame)).toEqual({ ok: true, message: row.example });
      const read = codecs[row.sentBy].decode(frame) as { message: WireMessage["example"] };
      expect(JSON.parse(encode({ ...row, example: read.message }))).toEqual(JSON.parse(frame));
    },
  );

  test("[WR1] every golden frame belongs to a message of `wireMessages`", () => {
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
  test.each(refusals)(
    "[WR3] `decode` refuses the frame %s and gives the field and the correlation id",
    (_name, refusal) => {
      const decoded = codecs[refusal.sentBy].decode(frameOf(refusal));
      expect(decoded).toEqual({
        ok: false,
        fault: { field: refusal.field, message: expect.any(String) },
        ...(refusal.correlation_id !== undefined && { correlationId: refusal.correlation_id }),
      });
      expect(refusal.code).toBe("BAD_MESSAGE");
    },
  );

  test("[WR3] no refused frame changes a prototype", () => {
    for (const [, refusal] of refusals) codecs[refusal.sentBy].decode(frameOf(refusal));
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
