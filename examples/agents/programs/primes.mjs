import { parseArgs } from "node:util";
import { count, pace } from "./work.mjs";

/**
 * Searches for primes without end, one segment of the number line after another, and reports the
 * widest gap.
 */

const { values } = parseArgs({ options: { busy: { type: "string", default: "25" } } });
const busy = Number(values.busy) / 100;
const PERIOD_MS = 1_000;
const SEGMENT = 1 << 16;

let found = 0;
let last = 2;
let widest = 0;
const small = [];

const breathe = pace({
  busyMs: PERIOD_MS * busy,
  restMs: PERIOD_MS * (1 - busy),
  report: () => console.log(`${count(found)} primes up to ${count(last)}, widest gap ${widest}`),
});

for (let from = 2; ; from += SEGMENT) {
  const to = from + SEGMENT;
  const composite = new Uint8Array(SEGMENT);
  extendSmallPrimes(Math.sqrt(to));
  for (const prime of small) {
    if (prime * prime >= to) break;
    const start = Math.max(prime * prime, Math.ceil(from / prime) * prime);
    for (let multiple = start; multiple < to; multiple += prime) composite[multiple - from] = 1;
  }
  for (let index = 0; index < SEGMENT; index++) {
    if (composite[index]) continue;
    const prime = from + index;
    found++;
    widest = Math.max(widest, prime - last);
    last = prime;
  }
  await breathe();
}

function extendSmallPrimes(limit) {
  for (let candidate = (small.at(-1) ?? 1) + 1; candidate <= limit; candidate++) {
    if (small.every((prime) => prime * prime > candidate || candidate % prime !== 0)) small.push(candidate);
  }
}
