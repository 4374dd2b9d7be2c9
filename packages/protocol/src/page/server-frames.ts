import type { ClientMessage } from "../client-message.js";
import type { Codec } from "../codec/codec.js";
import type { ServerMessage } from "../server-message.js";
import { subprotocols } from "../version.js";

/**
 * In a page's production build the server's frames are read as they come: the schemas of the wire,
 * and what of zod nothing else on the page needs, would be a quarter of its download. What the
 * application gets out of them (outputs, events, the data of errors) is validated all the same.
 */
export function serverFrames(): Codec<ServerMessage, ClientMessage> {
  return {
    subprotocol: subprotocols.json,
    encode: (message) => JSON.stringify(message),
    decode(frame) {
      try {
        // An escaped letter can hide the name.
        const message: unknown = JSON.parse(
          frame as string,
          /__proto__|\\u/i.test(frame as string) ? refuseProto : undefined,
        );
        // Throws for null.
        if (Object.getPrototypeOf(message) === Object.prototype) return { ok: true, message: message as ServerMessage };
      } catch {
        // Said below.
      }
      return { ok: false, fault: { field: "", message: "cannot be read." } };
    },
  };
}

function refuseProto(key: string, value: unknown): unknown {
  if (key === "__proto__") throw new Error(key);
  return value;
}
