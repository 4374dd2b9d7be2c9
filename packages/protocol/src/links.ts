import type { Link, Position } from "./messages/position.js";

/**
 * The chain check that client and server share: true if the event directly follows the position.
 * This file is separate, so that a page does not download the schemas beside it.
 */
export function links(from: Position, event: Link): boolean {
  return event.offset === from.offset + 1 && event.prev === from.id;
}
