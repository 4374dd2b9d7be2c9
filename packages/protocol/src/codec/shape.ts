/**
 * The deepest nesting of one message. zod does not limit the depth: 10,000 nested brackets parse in
 * a millisecond, pass `z.unknown()`, and then overflow the stack of any code that walks the value.
 */
export const MAX_DEPTH = 32;
/** The most members of one object or list. */
export const MAX_MEMBERS = 10_000;
/** The most values of a message that may be annotated as rich. */
export const MAX_ANNOTATIONS = 10_000;

/**
 * The depth that a value of the application may use. The deepest place for such a value is an event
 * among the missed events of a `subscribe_response`, six levels down. A value within this depth
 * fits into every message.
 */
export const MAX_VALUE_DEPTH = MAX_DEPTH - 6;

/**
 * The depth that a document may use. Its deepest place is a patch that replaces the whole document,
 * among the missed events of a `subscribe_response`: nine levels down.
 */
export const MAX_STATE_DEPTH = MAX_DEPTH - 9;

export const tooDeep = (levels: number): string => `is nested more than ${levels} levels deep`;
export const tooMany = (): string => `holds a list or an object of more than ${MAX_MEMBERS} members`;

/** The result of scanning a message: a fault, or the number of members of its outermost object. */
export type Scan = { ok: true; members: number } | { ok: false; sentence: string };

/**
 * Scans the text of a frame once, before JSON.parse. Counts depth, and the commas of each
 * container.
 */
export function scanText(text: string): Scan {
  const commas: number[] = [];
  let members = 0;
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case 0x22: // a string: skips to the closing quote
        if (commas.length === 1 && members === 0) members = 1;
        for (index++; index < text.length; index++) {
          const code = text.charCodeAt(index);
          if (code === 0x5c) index++;
          else if (code === 0x22) break;
        }
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (commas.length === MAX_DEPTH) return { ok: false, sentence: tooDeep(MAX_DEPTH) };
        commas.push(0);
        break;
      case 0x5d: // ]
      case 0x7d: // }
        commas.pop();
        break;
      case 0x2c: {
        // ,
        const last = commas.length - 1;
        const count = (commas[last] ?? 0) + 1;
        if (count >= MAX_MEMBERS) return { ok: false, sentence: tooMany() };
        commas[last] = count;
        if (last === 0) members = count + 1;
      }
    }
  }
  return { ok: true, members };
}

/**
 * Checks the depth, the number of members and the strings in the JSON of a document or a patch.
 * Returns the fault; undefined if the other side can read the value.
 */
export function shapeFault(value: unknown, most = MAX_VALUE_DEPTH, levels = most): string | undefined {
  if (typeof value === "string") return hasLoneSurrogate(value) ? "holds half a surrogate pair" : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  if (levels === 0) return tooDeep(most);
  const members: unknown[] = Object.values(value);
  if (members.length > MAX_MEMBERS) return tooMany();
  // The names of members are strings as well.
  for (const member of Array.isArray(value) ? members : [...Object.keys(value), ...members]) {
    const fault = shapeFault(member, most, levels - 1);
    if (fault) return fault;
  }
  return undefined;
}

// With the flag `u`, a complete pair is one character and does not match.
const LONE_SURROGATE = /[\ud800-\udfff]/u;

/**
 * True if the text contains half a surrogate pair: a character was cut in the middle. JSON parsers
 * of other languages may reject the whole frame that contains such a text.
 */
export function hasLoneSurrogate(text: string): boolean {
  return LONE_SURROGATE.test(text);
}
