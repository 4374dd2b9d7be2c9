import * as z from "zod/mini";
import type * as core from "zod/v4/core";
import { describeIssue, wording } from "../issues.js";
import type { Schema } from "../schema.js";
import { subprotocols } from "../version.js";
import type { Codec, Decoded } from "./codec.js";
import { hasLoneSurrogate, scanText } from "./shape.js";

/**
 * The default codec: each message is one JSON text frame. `inbound` is the schema of every message
 * that the other side may send.
 */
export function jsonCodec<Inbound, Outbound>(inbound: Schema<Inbound, unknown>): Codec<Inbound, Outbound> {
  return {
    subprotocol: subprotocols.json,
    encode: (message) => JSON.stringify(message),
    decode(frame): Decoded<Inbound> {
      if (typeof frame !== "string") return refuse("binary frames are not part of the JSON protocol", undefined);
      const scan = scanText(frame);
      if (!scan.ok) return refuse(scan.sentence, correlationIn(frame));
      let json: unknown;
      try {
        // An escaped letter can hide the name `__proto__`, and half a surrogate pair can only be
        // written as an escape. Only a frame that contains the name or an escape needs the slower
        // parse with a reviver.
        json = JSON.parse(frame, /__proto__|\\u/i.test(frame) ? refusePoison : undefined);
      } catch (error) {
        return refuse(error instanceof Poison ? error.message : "is not valid JSON", correlationIn(frame));
      }
      if (typeof json !== "object" || json === null || Array.isArray(json))
        return refuse("a message is a JSON object", undefined);
      const { correlation_id: id } = json as { correlation_id?: unknown };
      // Two readers of one frame must not see two messages: a proxy may use the first `type`, while
      // JSON.parse uses the last.
      if (Object.keys(json).length !== scan.members) return refuse("a field is given twice", id);
      const result = z.safeParse(inbound as core.$ZodType<Inbound>, json, wording);
      if (result.success) return { ok: true, message: result.data };
      return { ok: false, fault: describeIssue(result.error.issues, ""), ...correlation(id) };
    },
  };
}

function refuse(sentence: string, id: unknown): Decoded<never> {
  return { ok: false, fault: { field: "", message: `Message: ${sentence}.` }, ...correlation(id) };
}

function correlation(id: unknown): { correlationId?: string } {
  return typeof id === "string" && id.length > 0 && id.length <= 64 ? { correlationId: id } : {};
}

/**
 * The correlation id of a frame that was refused before it was parsed, so that the sender need not
 * wait for a timeout. A peer that hides another `correlation_id` in the data of its message may
 * receive an answer with that id.
 */
function correlationIn(frame: string): string | undefined {
  return /"correlation_id"\s{0,8}:\s{0,8}"([^"\\]{1,64})"/.exec(frame)?.[1];
}

class Poison extends Error {}

/**
 * Refuses input that parses here but does harm elsewhere: a key that changes a prototype when an
 * object is copied, and half a surrogate pair, for which readers in other languages reject the
 * whole frame.
 */
function refusePoison(key: string, value: unknown): unknown {
  if (key === "__proto__") throw new Poison("the key __proto__ is not accepted");
  if (hasLoneSurrogate(key) || (typeof value === "string" && hasLoneSurrogate(value)))
    throw new Poison("a string holds half a surrogate pair");
  return value;
}
