import { HoldfastError, type ServerMessageOf, type ValueSchema } from "@holdfast/protocol";
import { faultError, type ReportError } from "./errors.js";

/** An event on its way to its handlers. */
export interface Delivery {
  readonly event: string;
  readonly value: unknown;
}

/** Restores and validates an event; one that does not match the protocol is reported, and nothing comes of it. */
export function readEvent(
  schema: ValueSchema,
  message: Pick<ServerMessageOf<"event">, "channel" | "event" | "data" | "meta">,
  report: ReportError,
): Delivery | undefined {
  const { channel, event, data, meta } = message;
  const checked = schema.receive(data, meta, "data");
  if (checked.ok) return { event, value: checked.value };
  report(faultError("BAD_MESSAGE", `${channel}: ${event}`, checked.fault), { source: "event", channel, event });
  return undefined;
}

/** Events that nothing brings back were dropped, because a handler is busy and too many wait for it. */
export function reportDropped(channel: string, count: number, report: ReportError): void {
  const sentence = `${channel}: ${count} events were dropped behind a busy handler.`;
  report(new HoldfastError("HANDLER_FAILED", sentence), { source: "handler", channel });
}
