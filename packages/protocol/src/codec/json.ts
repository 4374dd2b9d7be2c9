import * as z from "zod/mini";
import { describeIssue } from "../issues.js";
import type { Schema } from "../schema.js";
import { subprotocols } from "../version.js";
import type { Codec, Decoded } from "./codec.js";

/** Bounds on the shape of one message, checked before it is parsed. */
const MAX_DEPTH = 32;
const MAX_MEMBERS = 10_000;

/** The default codec: one message is one JSON text frame. `inbound` is the union of what the other side may send. */
export function jsonCodec<Inbound, Outbound>(inbound: Schema<Inbound, unknown>): Codec<Inbound, Outbound> {
  return {
    subprotocol: subprotocols.json,
    encode: (message) => JSON.stringify(message),
    decode(frame): Decoded<Inbound> {
      if (typeof frame !== "string") return refuse("", "binary frames are not part of the JSON protocol");
      const shapeFault = scan(frame);
      if (shapeFault) return refuse("", shapeFault);
      let json: unknown;
      try {
        // An escaped letter can hide the name, hence the second half of the test.
        json = JSON.parse(frame, /__proto__|\\u/i.test(frame) ? refuseProto : undefined);
      } catch (error) {
        return refuse("", error instanceof ProtoKey ? "the key __proto__ is not accepted" : "is not valid JSON");
      }
      if (typeof json !== "object" || json === null || Array.isArray(json))
        return refuse("", "a message is a JSON object");
      const result = z.safeParse(inbound, json);
      if (result.success) return { ok: true, message: result.data };
      const { correlation_id: id } = json as { correlation_id?: unknown };
      return {
        ok: false,
        fault: describeIssue(result.error.issues, json, ""),
        ...(typeof id === "string" && id.length <= 64 && { correlationId: id }),
      };
    },
  };
}

function refuse(field: string, sentence: string): Decoded<never> {
  return { ok: false, fault: { field, message: `Message: ${sentence}.` } };
}

class ProtoKey extends Error {}
function refuseProto(key: string, value: unknown): unknown {
  if (key === "__proto__") throw new ProtoKey();
  return value;
}

/**
 * One pass over the text, before JSON.parse: 10,000 nested brackets parse in a millisecond and then overflow the stack of
 * everything that walks them. Counts the commas of each container as it goes.
 */
function scan(text: string): string | undefined {
  const commas: number[] = [];
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case 0x22: // a string: on to its closing quote
        for (index++; index < text.length; index++) {
          const code = text.charCodeAt(index);
          if (code === 0x5c) index++;
          else if (code === 0x22) break;
        }
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (commas.length === MAX_DEPTH) return `is nested more than ${MAX_DEPTH} levels deep`;
        commas.push(0);
        break;
      case 0x5d: // ]
      case 0x7d: // }
        commas.pop();
        break;
      case 0x2c: {
        // ,
        const last = commas.length - 1;
        const count = (commas[last] ?? 0) + 1;
        if (count >= MAX_MEMBERS) return `holds a list of more than ${MAX_MEMBERS} members`;
        commas[last] = count;
      }
    }
  }
  return undefined;
}
