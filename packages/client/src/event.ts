import { HoldfastError, type ServerMessageOf, type ValueSchema } from "@holdfast/protocol";
import { faultError, type ReportError } from "./errors.js";

/**
 * The second argument of a channel's event handler. All handlers of an event share this object,
 * which is frozen.
 */
export interface EventInfo {
  /** The event's id, which is the same for all clients. Undefined on a channel without history. */
  readonly id: string | undefined;
  /**
   * True if the event arrived in the answer to a `subscribe` that resumes the channel: the client
   * was disconnected when the event was published, or the event was lost or dropped. An event that
   * was published while the client subscribed again, for example because a handle began to listen
   * to the document, also counts as replayed. With `keepPositions`, an event whose handler had not
   * finished before a reload is delivered again with `true`. Always false on a channel without
   * history.
   */
  readonly replayed: boolean;
}

/** An event that is ready for its handlers. */
export interface Delivery {
  readonly event: string;
  readonly value: unknown;
  readonly info?: EventInfo | undefined;
}

/**
 * Restores and validates an event. If the event does not match the protocol, the function reports
 * the fault and returns undefined.
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
 * Reports events that were dropped because too many waited for a handler, and that cannot be
 * replayed.
 */
export function reportDropped(channel: string, count: number, report: ReportError): void {
  const sentence = `${channel}: ${count} events dropped, because a handler is busy.`;
  report(new HoldfastError("HANDLER_FAILED", sentence), { source: "handler", channel });
}
