/**
 * Bounds on the shape of one message. zod does not protect from depth: 10,000 nested brackets parse
 * in a millisecond, pass `z.unknown()`, and then overflow the stack of everything that walks them.
 */
export const MAX_DEPTH = 32;
export const MAX_MEMBERS = 10_000;
/** How many values of a message may be annotated as rich. */
export const MAX_ANNOTATIONS = 10_000;

/**
 * What an application's value may use of the depth. The deepest place for one is an event among the
 * missed ones of a `subscribe_response`, six levels down; a value that may be sent at all can then
 * be sent everywhere.
 */
export const MAX_VALUE_DEPTH = MAX_DEPTH - 6;

/**
 * The same for a document: a patch that replaces all of it, among what was missed, is nine levels
 * down.
 */
export const MAX_STATE_DEPTH = MAX_DEPTH - 9;

export const tooDeep = (levels: number): string => `is nested more than ${levels} levels deep`;
export const tooMany = (): string => `holds a list of more than ${MAX_MEMBERS} members`;

/**
 * What a pass over the text of a message found: a fault, or how many members its outermost object
 * has.
 */
export type Scan = { ok: true; members: number } | { ok: false; sentence: string };

/**
 * One pass over the text of a frame, before JSON.parse. Counts the commas of each container as it
 * goes.
 */
export function scanText(text: string): Scan {
  const commas: number[] = [];
  let members = 0;
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case 0x22: // a string: on to its closing quote
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

/** The same bounds for the JSON of a document or a patch. Undefined: the other side reads it. */
export function shapeFault(value: unknown, most = MAX_VALUE_DEPTH, levels = most): string | undefined {
  if (typeof value === "string") return hasLoneSurrogate(value) ? "holds half a surrogate pair" : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  if (levels === 0) return tooDeep(most);
  const members: unknown[] = Object.values(value);
  if (members.length > MAX_MEMBERS) return tooMany();
  // What a member is called is a text as well.
  for (const member of Array.isArray(value) ? members : [...Object.keys(value), ...members]) {
    const fault = shapeFault(member, most, levels - 1);
    if (fault) return fault;
  }
  return undefined;
}

// With the flag, a whole pair is one character and does not match.
const LONE_SURROGATE = /[\ud800-\udfff]/u;

/**
 * Whether a text was cut in the middle of a character. Readers in other languages reject the whole
 * frame for one.
 */
export function hasLoneSurrogate(text: string): boolean {
  return LONE_SURROGATE.test(text);
}
