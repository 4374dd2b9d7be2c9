import { HoldfastError, type ServerMessageOf, type ValueSchema } from "@holdfast/protocol";
import { faultError, type ReportError } from "./errors.js";

/** What the handler of a channel's event is told beside its data. */
export interface EventInfo {
  /** The id of the event, which is the same for every client; undefined on a channel without history. */
  readonly id: string | undefined;
  /**
   * Whether the event was missed and the server has made up for it: it was published while the client was away, was lost on its way, or
   * was dropped behind a busy handler. Only channels with history make up for events.
   */
  readonly replayed: boolean;
}

/** An event on its way to its handlers. */
export interface Delivery {
  readonly event: string;
  readonly value: unknown;
  readonly info?: EventInfo | undefined;
}

/** Restores and validates an event; one that does not match the protocol is reported, and nothing comes of it. */
export function readEvent(
  schema: ValueSchema,
  message: Pick<ServerMessageOf<"event">, "channel" | "event" | "data" | "meta">,
  report: ReportError,
  info?: EventInfo,
): Delivery | undefined {
  const { channel, event, data, meta } = message;
  const checked = schema.receive(data, meta, "data");
  if (checked.ok) return { event, value: checked.value, info };
  report(faultError("BAD_MESSAGE", `${channel}: ${event}`, checked.fault), { source: "event", channel, event });
  return undefined;
}

/** Events that nothing brings back were dropped, because a handler is busy and too many wait for it. */
export function reportDropped(channel: string, count: number, report: ReportError): void {
  const sentence = `${channel}: ${count} events were dropped behind a busy handler.`;
  report(new HoldfastError("HANDLER_FAILED", sentence), { source: "handler", channel });
}
