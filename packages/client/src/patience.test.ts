import type { HoldfastError } from "@holdfast/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemEnvironment } from "./environment.js";
import { type PatientCall, patiently } from "./patience.js";

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

function wait(timeoutMs: number) {
  const controller = new AbortController();
  const calls: PatientCall<string>[] = [];
  const giveUp = vi.fn((error: HoldfastError, call: PatientCall<string>) => call.reject(error));
  const removed = vi.spyOn(controller.signal, "removeEventListener");
  const promise = patiently<string>(
    { request: "it" },
    { timeoutMs, signal: controller.signal },
    {
      clock: systemEnvironment.clock,
      timeoutMs: 1,
      report: () => undefined,
      whyNot: () => undefined,
      begin: (call) => calls.push(call),
      giveUp,
    },
  );
  return { controller, giveUp, removed, promise, call: calls[0]! };
}

test("on timeout the call rejects once with TIMEOUT, and no listener is left on the signal", async () => {
  const { controller, giveUp, removed, promise } = wait(100);
  vi.advanceTimersByTime(100);
  controller.abort();
  await expect(promise).rejects.toMatchObject({
    code: "TIMEOUT",
    message: expect.stringContaining("100 ms") as unknown,
  });
  expect(giveUp).toHaveBeenCalledTimes(1);
  expect(removed).toHaveBeenCalledTimes(1);
});

test("on abort the call rejects once with CANCELLED, and no timer is left", async () => {
  const { controller, giveUp, promise } = wait(100);
  controller.abort("enough");
  expect(vi.getTimerCount()).toBe(0);
  await expect(promise).rejects.toMatchObject({ code: "CANCELLED", cause: "enough" });
  expect(giveUp).toHaveBeenCalledTimes(1);
});

test("a call that settles leaves neither timer nor listener, and `giveUp` is not called", async () => {
  const { controller, giveUp, removed, promise, call } = wait(100);
  call.resolve("done");
  expect(vi.getTimerCount()).toBe(0);
  expect(removed).toHaveBeenCalledTimes(1);
  controller.abort();
  await expect(promise).resolves.toBe("done");
  expect(giveUp).not.toHaveBeenCalled();
});
