import { HoldfastError, type Logger } from "@holdfast/protocol";
import { isNamed } from "./listeners.js";

/**
 * Refuses an event that does not exist, or a group without events, when a handler is added. A
 * page's production build uses src/page/check-event.ts instead.
 *
 * @throws HoldfastError INVALID_VALUE
 */
export function checkEvent(where: string, name: string, events: ReadonlyMap<string, unknown>): void {
  if ([...events.keys()].some((event) => isNamed(event, name))) return;
  throw new HoldfastError("INVALID_VALUE", `${where} has no event ${JSON.stringify(name)}.`, { field: "event" });
}

/**
 * Logs an event that the client ignores: the channel was just left, or the event was declared in a
 * newer version of the protocol.
 */
export function noteIgnored(logger: Logger, channel: string, event: string): void {
  logger.debug({ channel, event }, "event ignored");
}
