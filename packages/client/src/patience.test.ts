import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemEnvironment } from "./environment.js";
import { watchPatience } from "./patience.js";

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

function watch(timeoutMs: number) {
  const controller = new AbortController();
  const giveUp = vi.fn();
  const removed = vi.spyOn(controller.signal, "removeEventListener");
  const stop = watchPatience("it", { timeoutMs, signal: controller.signal }, systemEnvironment.clock, giveUp);
  return { controller, giveUp, removed, stop };
}

test("When the time is over the caller gives up once, with TIMEOUT, and no listener is left on the signal", () => {
  const { controller, giveUp, removed } = watch(100);
  vi.advanceTimersByTime(100);
  controller.abort();
  expect(giveUp).toHaveBeenCalledTimes(1);
  expect(giveUp.mock.calls[0]![0]).toMatchObject({ code: "TIMEOUT", message: "it: no answer within 100 ms." });
  expect(removed).toHaveBeenCalledTimes(1);
});

test("When the signal aborts the caller gives up once, with CANCELLED, and no timer is left", () => {
  const { controller, giveUp } = watch(100);
  controller.abort("enough");
  expect(vi.getTimerCount()).toBe(0);
  expect(giveUp).toHaveBeenCalledTimes(1);
  expect(giveUp.mock.calls[0]![0]).toMatchObject({ code: "CANCELLED", cause: "enough" });
});

test("Ending the watch leaves neither timer nor listener, and nothing is given up", () => {
  const { controller, giveUp, removed, stop } = watch(100);
  stop();
  expect(vi.getTimerCount()).toBe(0);
  expect(removed).toHaveBeenCalledTimes(1);
  controller.abort();
  expect(giveUp).not.toHaveBeenCalled();
});
