import { closeCode } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { retryAfterMs, retryDelay } from "./retry-policy.js";

const limits = { minMs: 1_000, maxMs: 30_000 };
const delay = (attempt: number, code: number, draw: Parameters<typeof retryDelay>[2]): number =>
  retryDelay(attempt, closeCode(code), draw, limits).ms;

describe("retryDelay", () => {
  test("[RC2] the window doubles from minMs to maxMs, and the delay is random within the window", () => {
    const windows = [1, 2, 3, 4, 5, 6, 7, 50].map((attempt) => delay(attempt, 4408, { random: 1 }));
    expect(windows).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect(delay(4, 4408, { random: 0 })).toBe(0);
    expect(delay(4, 4408, { random: 0.25 })).toBe(2_000);
  });

  test("[RC2] the first retry after a code that ends many connections at once uses the wider window of the close-code table", () => {
    expect(delay(1, 1006, { random: 1 })).toBe(5_000);
    expect(delay(2, 1006, { random: 1 })).toBe(2_000);
  });

  test("no window is wider than maxMs", () => {
    expect(retryDelay(1, closeCode(1006), { random: 1 }, { minMs: 10, maxMs: 100 }).ms).toBe(100);
  });

  test("[RC5] the jitter is added to a hint, because other clients received the same hint", () => {
    expect(retryDelay(1, closeCode(4429), { random: 0, hintMs: 600 }, limits)).toEqual({ ms: 600, leastMs: 600 });
    expect(retryDelay(3, closeCode(4429), { random: 0.5, hintMs: 600 }, limits)).toEqual({ ms: 2_600, leastMs: 600 });
  });

  test("[RC5] with a hint the wide first window is not used", () => {
    expect(delay(1, 1012, { random: 1, hintMs: 600 })).toBe(1_600);
  });

  test("[RC6] the delay in goaway is used without jitter, whatever the close code and the hint", () => {
    const draw = { random: 0.9, hintMs: 20_000, goawayMs: 3_200 };
    expect(retryDelay(5, closeCode(1012), draw, limits)).toEqual({ ms: 3_200, leastMs: 3_200 });
    expect(delay(1, 1012, { random: 0.9, goawayMs: 0 })).toBe(0);
  });

  test("[RC5] a hint above one hour is shortened to one hour", () => {
    expect(delay(1, 4429, { random: 0, hintMs: 1e15 })).toBe(3_600_000);
    expect(delay(1, 4429, { random: 0, goawayMs: 1e15 })).toBe(3_600_000);
  });
});

describe("retryAfterMs", () => {
  test.each([
    ['{"retryAfterMs":600}', 600],
    ['{"retryAfterMs":0}', 0],
    ['{"retryAfterMs":-1}', undefined],
    ['{"retryAfterMs":"600"}', undefined],
    ['{"retryAfterMs":', undefined],
    ["{}", undefined],
    ["too many messages", undefined],
    ["", undefined],
  ])("[RC5] the close reason %j contains the hint %j", (reason, hint) => {
    expect(retryAfterMs(reason)).toBe(hint);
  });
});
