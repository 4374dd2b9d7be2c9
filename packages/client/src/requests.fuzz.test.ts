import { expect, test } from "vitest";
import { answers, connected, silent, unreachable } from "../test/support/behaviours.js";
import { pass, testClient, withFakeTime } from "../test/support/test-client.js";

withFakeTime();

/** A seeded generator of random numbers (mulberry32), so that a failing seed can be repeated. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test.each(Array.from({ length: 25 }, (_, index) => index + 1))(
  "[RQ18] every request settles exactly once, whatever happens to the connection (seed %i)",
  async (seed) => {
    const random = dice(seed);
    const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
    const limits = { message_bytes: 65_536, subscriptions: 9, requests_in_flight: 3 };
    const good = answers({
      connected: connected({ limits }),
      request: ({ correlation_id }) =>
        random() < 0.6 ? { type: "response", correlation_id, data: { ok: true, output: ["x"] } } : undefined,
    });
    const { client, world } = testClient([good, unreachable(), good, silent(), good]);
    world.random = random();

    let settled = 0;
    const outcomes = new Map<string, number>();
    const note = (outcome: string): void => {
      settled++;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    };
    let made = 0;
    for (let step = 0; step < 120; step++) {
      const controller = new AbortController();
      const roll = random();
      if (roll < 0.5) {
        made++;
        const options = { timeoutMs: pick([5, 500, 20_000]), signal: controller.signal };
        const call = pick([
          () => client.request("agents.list", undefined, options),
          () => client.request("agent.rename", { name: "x" }, options),
        ])();
        call.then(
          () => note("answered"),
          (error: { code: string }) => note(error.code),
        );
        if (random() < 0.2) setTimeout(() => controller.abort(), random() * 50);
      } else if (roll < 0.6 && world.sockets.live.length > 0) world.sockets.last.end(pick([1006, 1012, 4408]));
      else if (roll < 0.63) client.disconnect();
      else if (roll < 0.7) client.connect();
      else await pass(random() * 3_000);
    }
    client.disconnect();
    await pass(60_000);
    expect({ seed, settled }).toEqual({ seed, settled: made });
    expect(outcomes.size).toBeGreaterThan(1);
  },
);
