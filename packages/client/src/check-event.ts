import { HoldfastError } from "@holdfast/protocol";

/**
 * Refuses an event that does not exist where its handler is added. A page in production gets src/page/check-event.ts instead.
 *
 * @throws HoldfastError INVALID_VALUE
 */
export function checkEvent(where: string, event: string, exists: () => boolean): void {
  if (!exists())
    throw new HoldfastError("INVALID_VALUE", `${where} has no event ${JSON.stringify(event)}.`, { field: "event" });
}
