import { expect, test } from "vitest";
import { hash, jsonSchema } from "../src/describe.js";
import { PROTOCOL_VERSION } from "../src/version.js";
import { clientMessage, serverMessage } from "../src/wire.js";

const VERSION = 1;
const HASH = "5a7d354c1de1c5d5";

const ADVICE =
  "The schemas of the messages have changed. If deployed clients can ignore the change (a new message, a new optional " +
  "field), write the new hash here. If they cannot, raise PROTOCOL_VERSION in src/version.ts, add a line to the history " +
  "above it, add a folder test/frames/vN for the new version, and write the new version and hash here.";

test("[WR2] the hash of all message schemas is the hash of this version of the wire protocol", () => {
  const schemas = [clientMessage, serverMessage].map((schema) => jsonSchema(schema, { annotations: false }));
  const found = { version: PROTOCOL_VERSION, hash: hash(schemas) };
  const advice = found.version === VERSION && found.hash === HASH ? "" : ADVICE;
  expect({ advice, ...found }).toEqual({ advice: "", version: VERSION, hash: HASH });
});
