import { setTimeout as delay } from "node:timers/promises";

/** Waits for something that another process or a socket does, and for no longer than that takes. */
export async function until(holds: () => unknown, limitMs = 20_000, what = "It"): Promise<void> {
  const end = Date.now() + limitMs;
  for (;;) {
    if (await holds()) return;
    if (Date.now() > end) throw new Error(`${what} did not happen within ${limitMs} ms.`);
    await delay(5);
  }
}
