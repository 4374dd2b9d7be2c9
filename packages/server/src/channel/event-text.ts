import {
  type Fault,
  HoldfastError,
  type Link,
  type Position,
  type ResetReason,
  type RichValue,
  type ServerMessage,
  type ValueSchema,
} from "@holdfast/protocol";
import { toWire } from "@holdfast/protocol/internal";
import type { Publication } from "../broker/broker.js";
import type { Logger } from "../observe/logger.js";
import { Frame } from "../transport/frame.js";
import type { KeptEvent } from "./ring.js";

/** Upper bound of the bytes that an event's link takes in a frame. */
const LINK_BYTES = 384;

/**
 * Encodes an event once for all recipients, as JSON. The broker carries this string, and other
 * programs can read it. The channel and the link are added later, because the link is known only
 * after the broker has assigned the offset.
 *
 * @throws HoldfastError INVALID_VALUE or LIMIT_EXCEEDED; `field` names the place
 */
export function encodeEvent(
  channel: string,
  event: string,
  schema: ValueSchema | undefined,
  data: unknown,
  maxBytes: number,
): string {
  if (!schema)
    throw new HoldfastError("INVALID_VALUE", `${channel} declares no event ${JSON.stringify(event)}.`, {
      field: "event",
    });
  const sent = schema.send(data, "data");
  if (!sent.ok) throw invalidEvent(channel, event, sent.fault);
  const { value } = sent as { value: RichValue };
  const body = JSON.stringify({ event, ...value });
  // A UTF-16 unit takes at most 3 bytes in UTF-8, so a short string need not be measured.
  const room = maxBytes - LINK_BYTES - channel.length;
  if (body.length * 3 > room && Buffer.byteLength(body) > room) {
    const text = `Event ${event} on ${channel} was not published: its frame is larger than ${maxBytes} bytes.`;
    throw new HoldfastError("LIMIT_EXCEEDED", text, {
      field: "data",
      remedy: "Split the data across several events, or raise `limits.owedBytes`.",
    });
  }
  return body;
}

/**
 * The frame of an event: the same bytes for every member. Undefined if the body is not a Holdfast
 * event.
 */
export function eventFrame(
  channel: string,
  body: string,
  metadata?: Link | { readonly id: string; readonly ack: true },
): Frame | undefined {
  if (!body.startsWith('{"event":"') || !body.endsWith("}")) return undefined;
  const start = `{"type":"event","channel":${JSON.stringify(channel)},${body.slice(1, -1)}`;
  return new Frame(metadata ? `${start},"metadata":${JSON.stringify(metadata)}}` : `${start}}`);
}

/**
 * The frame of a change of the channel's document, and the version after the change (0 if the
 * change deleted the document). Undefined if the body is not such a change.
 */
function documentFrame(
  channel: string,
  body: string,
  metadata: Link,
): { readonly frame: Frame; readonly version: number } | undefined {
  const [, type, version] = CHANGE.exec(body) ?? [];
  if (type === undefined) return undefined;
  const start = `{"type":"${type}","channel":${JSON.stringify(channel)},`;
  const rest = body.slice(body.indexOf(",") + 1, -1);
  return { frame: new Frame(`${start}${rest},"metadata":${JSON.stringify(metadata)}}`), version: Number(version ?? 0) };
}

/**
 * Reads a publication of a channel with history for the log. Undefined if the publication is not a
 * valid Holdfast event.
 */
export function readEvent(channel: string, { body, link }: Publication): KeptEvent | undefined {
  if (!link) return undefined;
  const frame = eventFrame(channel, body, link);
  const read = frame ? { frame } : documentFrame(channel, body, link);
  return read && { link, ...read, bytes: Buffer.byteLength(read.frame.text) };
}

export function notAnEvent(channel: string, logger: Logger): void {
  logger.error({ channel }, "ignored a publication that is not a valid Holdfast event");
}

/** Tells a member that events are missing, and the position from which the channel continues. */
export function resetFrame(channel: string, reason: ResetReason, position: Position): Frame {
  return new Frame(JSON.stringify({ type: "reset", channel, data: { reason, position } } satisfies ServerMessage));
}

/** Tells a member that the channel has ended, because its document was deleted. */
export function endedFrame(channel: string, reason: string): Frame {
  const data = toWire(new HoldfastError("STATE_DELETED", reason));
  return new Frame(JSON.stringify({ type: "unsubscribed", channel, data } satisfies ServerMessage));
}

/** Matches the strings that `changeText` in document/document.ts returns. */
const CHANGE = /^\{"type":"(state_update|state_deleted)","data":\{(?:"version":(\d+),)?.*\}$/s;

function invalidEvent(channel: string, event: string, { message, ...details }: Fault): HoldfastError {
  return new HoldfastError("INVALID_VALUE", `Event ${event} on ${channel} was not published: ${message}`, details);
}
