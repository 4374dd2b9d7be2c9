import { HoldfastError, type Logger } from "@holdfast/protocol";
import { isNamed } from "./listeners.js";

/**
 * Refuses an event that does not exist, or a group that no event is in, when its handler is added.
 * A page in production gets src/page/check-event.ts instead.
 *
 * @throws HoldfastError INVALID_VALUE
 */
export function checkEvent(where: string, name: string, events: ReadonlyMap<string, unknown>): void {
  if ([...events.keys()].some((event) => isNamed(event, name))) return;
  throw new HoldfastError("INVALID_VALUE", `${where} has no event ${JSON.stringify(name)}.`, { field: "event" });
}

/**
 * Says in the log that an event came of a channel left a moment ago, or of a server with a newer
 * protocol.
 */
export function noteIgnored(logger: Logger, channel: string, event: string): void {
  logger.debug({ channel, event }, "event ignored");
}
