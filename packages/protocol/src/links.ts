import type { Link, Position } from "./messages/position.js";

/**
 * The chain check, once for client and server: does this event follow that position? In a file of
 * its own, so that a page that checks its events does not download the schemas beside it.
 */
export function links(from: Position, event: Link): boolean {
  return event.offset === from.offset + 1 && event.prev === from.id;
}
