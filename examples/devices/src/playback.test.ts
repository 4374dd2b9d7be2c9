import { expect, onTestFinished, test, vi } from "vitest";
import { Playback } from "./playback.js";

const from = (deviceId: string, positionMs = 0) => ({ deviceId, trackId: "harbour-lights", positionMs });

test("[DX8] at most one device of a user plays: the device that was started last", () => {
  const playback = new Playback(() => 0);
  expect(playback.of("ada")).toBeUndefined();
  playback.start("ada", from("laptop"));
  playback.start("ada", from("phone"));
  playback.start("grace", from("tablet"));
  expect(playback.of("ada")?.deviceId).toBe("phone");
  expect(playback.stop("ada", "laptop")).toBe(false);
  expect(playback.of("ada")?.deviceId).toBe("phone");
  expect(playback.stop("ada", "phone")).toBe(true);
  expect(playback.of("ada")).toBeUndefined();
  expect(playback.of("grace")?.deviceId).toBe("tablet");
});

test("[WC12] the position advances with elapsed time even if the wall clock is set, and stops at the end of the track", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const playback = new Playback();
  playback.start("ada", from("laptop", 10_000));
  vi.advanceTimersByTime(2_500);
  expect(playback.of("ada")?.positionMs).toBe(12_500);
  for (const by of [-3_600_000, 7_200_000]) {
    vi.setSystemTime(Date.now() + by);
    expect(playback.of("ada")?.positionMs).toBe(12_500);
  }
  vi.advanceTimersByTime(3_600_000);
  expect(playback.of("ada")?.positionMs).toBe(214_000);
});
