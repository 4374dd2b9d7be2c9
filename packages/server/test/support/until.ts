import { setTimeout as delay } from "node:timers/promises";

/**
 * Polls every 5 ms until the condition holds, and throws after `limitMs`. Tests use `until` for
 * results of another process or a real socket.
 */
export async function until(holds: () => unknown, limitMs = 20_000, what = "It"): Promise<void> {
  const end = Date.now() + limitMs;
  for (;;) {
    if (await holds()) return;
    if (Date.now() > end) throw new Error(`${what} did not happen within ${limitMs} ms.`);
    await delay(5);
  }
}
