import { MOST_PARTICIPANTS, NAME_LENGTH } from "../protocol.js";
import { isBlank } from "./validity.js";

/** The typed names, one per line. */
export const namesIn = (typed: string): string[] =>
  typed
    .split("\n")
    .filter((name) => !isBlank(name))
    .map((name) => name.trim());

/** The fault of the names; undefined if the protocol accepts all names. */
export function namesFault(typed: string): string | undefined {
  const names = namesIn(typed);
  if (names.length === 0) return "Enter at least one name.";
  if (names.length > MOST_PARTICIPANTS) return `At most ${MOST_PARTICIPANTS}.`;
  const long = names.find((name) => excess(name) > 0);
  return long && `Too long by ${excess(long)}: ${long}`;
}

/**
 * The fault of a title or a single name; undefined if the protocol accepts the text. `blank` is the
 * message for a blank text.
 */
export function nameFault(typed: string, blank: string): string | undefined {
  if (isBlank(typed)) return blank;
  const more = excess(typed);
  return more > 0 ? `Too long by ${more}: at most ${NAME_LENGTH} characters.` : undefined;
}

/**
 * The number of characters beyond the limit. Counted as the protocol counts: an emoji is one
 * character and not two.
 */
const excess = (name: string): number => [...name.trim()].length - NAME_LENGTH;
