import { expect, test } from "vitest";
import { hash, jsonSchema } from "../src/describe.js";
import { PROTOCOL_VERSION } from "../src/version.js";
import { clientMessage, serverMessage } from "../src/wire.js";

const VERSION = 1;
const HASH = "5a7d354c1de1c5d5";

const ADVICE =
  "The messages are not those of this version any more. Can a client that is already deployed go on without noticing (a new " +
  "message it may ignore, a new optional field)? Then put the new hash here. If not, raise PROTOCOL_VERSION in " +
  "src/version.ts, add a line to the history above it, give the new version a folder test/frames/vN, and put both here.";

test("[WR2] the schemas of all messages are those of this version of the wire", () => {
  const schemas = [clientMessage, serverMessage].map((schema) => jsonSchema(schema, { annotations: false }));
  const found = { version: PROTOCOL_VERSION, hash: hash(schemas) };
  const advice = found.version === VERSION && found.hash === HASH ? "" : ADVICE;
  expect({ advice, ...found }).toEqual({ advice: "", version: VERSION, hash: HASH });
});
