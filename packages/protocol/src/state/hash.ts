import { canonicalJson } from "../canonical-json.js";

/** The low part of the prime of 64-bit FNV; its high part is a shift by 40. */
const PRIME = 0x1b3;

/**
 * Whether two sides hold the same document: 64-bit FNV-1a (draft-eastlake-fnv) over the UTF-8 of its canonical JSON, 16 hex
 * digits; empty for no document. It finds differences that happen, not those that somebody wants to hide.
 */
export function hashOf(document: unknown): string {
  if (document === undefined) return "";
  const text = canonicalJson(document);
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  const take = (byte: number): void => {
    low = (low ^ byte) >>> 0;
    const product = low * PRIME;
    high = (Math.imul(high, PRIME) + Math.floor(product / 2 ** 32) + (low << 8)) >>> 0;
    low = product >>> 0;
  };
  // Not TextEncoder, which not every React Native has.
  for (let index = 0; index < text.length; index++) {
    const code = text.codePointAt(index)!;
    if (code > 0xffff) index++;
    if (code < 0x80) {
      take(code);
      continue;
    }
    const bytes = code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
    take([0, 0, 0xc0, 0xe0, 0xf0][bytes]! | (code >> (6 * (bytes - 1))));
    for (let rest = bytes - 2; rest >= 0; rest--) take(0x80 | ((code >> (6 * rest)) & 0x3f));
  }
  return [high, low].map((part) => part.toString(16).padStart(8, "0")).join("");
}
