import { HoldfastError, type ServerMessageOf, type ValueSchema } from "@holdfast/protocol";
import { faultError, type ReportError } from "./errors.js";

/**
 * What the handler of a channel's event is told beside its data. All handlers of an event share the
 * object, which is frozen.
 */
export interface EventInfo {
  /**
   * The id of the event, which is the same for every client; undefined on a channel without
   * history.
   */
  readonly id: string | undefined;
  /**
   * Whether the event came in the answer to a `subscribe` that continues the channel: it was
   * published while the client was away, was lost on its way, or was dropped behind a busy handler.
   * It may also be new: an event that is published while the client asks for the channel again, for
   * example because a handle begins to listen to its document. With `keepPositions`, an event whose
   * handler had not finished before a reload comes again with `true`. Always false on a channel
   * without history.
   */
  readonly replayed: boolean;
}

/** An event on its way to its handlers. */
export interface Delivery {
  readonly event: string;
  readonly value: unknown;
  readonly info?: EventInfo | undefined;
}

/**
 * Restores and validates an event; one that does not match the protocol is reported, and nothing
 * comes of it.
 */
export function readEvent(
  schema: ValueSchema,
  message: Pick<ServerMessageOf<"event">, "channel" | "event" | "data" | "meta">,
  report: ReportError,
  info?: EventInfo,
): Delivery | undefined {
  const { channel, event, data, meta } = message;
  const checked = schema.receive(data, meta, "data");
  if (checked.ok) return { event, value: checked.value, info: Object.freeze(info) };
  report(faultError("BAD_MESSAGE", `${channel}: ${event}`, checked.fault), { source: "event", channel, event });
  return undefined;
}

/**
 * Events that nothing brings back were dropped, because a handler is busy and too many wait for it.
 */
export function reportDropped(channel: string, count: number, report: ReportError): void {
  const sentence = `${channel}: ${count} events were dropped behind a busy handler.`;
  report(new HoldfastError("HANDLER_FAILED", sentence), { source: "handler", channel });
}
