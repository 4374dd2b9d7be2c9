import { canonicalJson } from "../canonical-json.js";

/** The low part of the prime of 64-bit FNV. Its high part is applied as a shift by 40. */
const PRIME = 0x1b3;
/** The marker in the first byte of a UTF-8 character, by the number of bytes that follow. */
const LEAD = [0, 0xc0, 0xe0, 0xf0];

/**
 * A hash by which two sides check that they hold the same document: 64-bit FNV-1a
 * (draft-eastlake-fnv) over the UTF-8 of its canonical JSON, as 16 hex digits; empty if there is no
 * document. The hash detects accidental differences, not deliberate ones.
 */
export function hashOf(document: unknown): string {
  if (document === undefined) return "";
  const text = canonicalJson(document);
  let high = 0xcbf29ce4 | 0;
  let low = 0x84222325 | 0;
  // Encoded by hand, because TextEncoder is missing on some React Native engines.
  for (let index = 0; index < text.length; index++) {
    const code = text.codePointAt(index)!;
    if (code > 0xffff) index++;
    const last = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x1_0000 ? 2 : 3;
    for (let rest = last; rest >= 0; rest--) {
      const bits = code >> (6 * rest);
      low ^= last === 0 ? bits : rest === last ? LEAD[last]! | bits : 0x80 | (bits & 0x3f);
      // Multiplies by the prime in halves of 16 bits, whose products are exact.
      const lower = (low & 0xffff) * PRIME;
      const upper = (low >>> 16) * PRIME + (lower >>> 16);
      high = (Math.imul(high, PRIME) + (upper >>> 16) + (low << 8)) | 0;
      low = (upper << 16) | (lower & 0xffff);
    }
  }
  return [high, low].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
}
