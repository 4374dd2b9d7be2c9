import { expect, onTestFinished, test, vi } from "vitest";
import { serverTime } from "./server-time.js";

test("[WC12] serverTime advances with elapsed time even if the wall clock is set", () => {
  expect(Math.abs(serverTime().getTime() - Date.now())).toBeLessThan(60_000);
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const start = serverTime().getTime();
  for (const byMs of [-3_600_000, 7_200_000]) {
    vi.setSystemTime(Date.now() + byMs);
    expect(serverTime().getTime()).toBe(start);
  }
  vi.advanceTimersByTime(90_000);
  expect(serverTime().getTime()).toBe(start + 90_000);
});
