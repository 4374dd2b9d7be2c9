import type { ClientMessage } from "../client-message.js";
import type { Codec } from "../codec/codec.js";
import type { ServerMessage } from "../server-message.js";
import { subprotocols } from "../version.js";

/**
 * In a page's production build the frames of the server are not validated. The wire schemas,
 * with the parts of zod that nothing else needs, would be a quarter of the download. The values
 * that the application receives (outputs, events, the data of errors) are still validated.
 */
export function serverFrames(): Codec<ServerMessage, ClientMessage> {
  return {
    subprotocol: subprotocols.json,
    encode: (message) => JSON.stringify(message),
    decode(frame) {
      try {
        // The name `__proto__` can be written with an escaped letter.
        const message: unknown = JSON.parse(
          frame as string,
          /__proto__|\\u/i.test(frame as string) ? refuseProto : undefined,
        );
        // `getPrototypeOf` throws for null, which is refused below.
        if (Object.getPrototypeOf(message) === Object.prototype) return { ok: true, message: message as ServerMessage };
      } catch {
        // Refused below.
      }
      return { ok: false, fault: { field: "", message: "cannot be read." } };
    },
  };
}

function refuseProto(key: string, value: unknown): unknown {
  if (key === "__proto__") throw new Error(key);
  return value;
}
