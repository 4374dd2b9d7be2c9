import { getEventListeners } from "node:events";
import { expect, test, vi } from "vitest";
import { onAbort } from "./on-abort.js";
import { onAbort as onAbortInPage } from "./page/on-abort.js";

test("[RQ20] all calls with the same signal share one listener, and the last call removes the listener", () => {
  const { signal } = new AbortController();
  const stops = Array.from({ length: 50 }, () => onAbort(signal, vi.fn()));
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  for (const stop of stops) stop();
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
  onAbort(signal, vi.fn())();
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

test("[RQ20] every call that still waits is notified once", () => {
  const controller = new AbortController();
  const [first, second, third] = [vi.fn(), vi.fn(), vi.fn()];
  onAbort(controller.signal, first);
  const stop = onAbort(controller.signal, () => {
    second();
    stopThird();
  });
  const stopThird = onAbort(controller.signal, third);
  controller.abort();
  stop();
  expect([first, second, third].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 0]);
});

test("[RQ20] onAbort of a page's production build also calls `run` on abort", () => {
  const controller = new AbortController();
  const [stays, goes] = [vi.fn(), vi.fn()];
  onAbortInPage(controller.signal, stays);
  onAbortInPage(controller.signal, goes)();
  controller.abort();
  expect([stays, goes].map(({ mock }) => mock.calls.length)).toEqual([1, 0]);
});
