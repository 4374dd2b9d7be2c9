import { HoldfastError } from "@holdfast/server";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Publisher } from "./publisher.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/**
 * Makes a store that refuses the first `refusals` calls, and records the keys of all calls and of
 * the publications.
 */
function makeStore(refusals: number) {
  const tried: string[] = [];
  const published: string[] = [];
  const publish = async ({ idempotencyKey }: { idempotencyKey: string }) => {
    tried.push(idempotencyKey);
    if (tried.length <= refusals) throw new HoldfastError("UNAVAILABLE", "Redis is away.");
    published.push(idempotencyKey);
  };
  return { tried, published, publish };
}

test("[EX32] a refused publication is retried with the same key, before later publications", async () => {
  const publisher = new Publisher();
  const { tried, published, publish } = makeStore(3);
  for (const key of ["a", "b", "c"]) publisher.push(key, publish);
  await vi.advanceTimersByTimeAsync(700);
  expect(tried).toEqual(["a", "a", "a", "a", "b", "c"]);
  expect(published).toEqual(["a", "b", "c"]);
  await publisher.close();
  expect(vi.getTimerCount()).toBe(0);
});

test("[EX32] an error that a retry cannot fix is logged to the console, and the next publication follows", async () => {
  const told = vi.spyOn(console, "error").mockImplementation(() => {});
  const publisher = new Publisher();
  const { published, publish } = makeStore(0);
  const mistake = new Error("no such event");
  publisher.push("a", () => Promise.reject(mistake));
  publisher.push("b", publish);
  await vi.advanceTimersByTimeAsync(0);
  expect(published).toEqual(["b"]);
  expect(told).toHaveBeenCalledWith(mistake);
  told.mockRestore();
});

test("[EX32] at most 1,000 lines wait, and publications without mayBeLeftOut wait in any case", async () => {
  const publisher = new Publisher();
  const { published, publish } = makeStore(1);
  for (let line = 1; line <= 1_500; line++) publisher.push(`line ${line}`, publish, { mayBeLeftOut: true });
  publisher.push("exited", publish);
  await vi.advanceTimersByTimeAsync(500);
  expect(published).toHaveLength(1_001);
  expect(published.slice(-2)).toEqual(["line 1000", "exited"]);
});

test("[EX32] close waits up to 2 s for publications in flight, and nothing is published afterwards", async () => {
  const publisher = new Publisher();
  const { tried, published, publish } = makeStore(Number.POSITIVE_INFINITY);
  publisher.push("a", publish);
  const closed = publisher.close();
  await vi.advanceTimersByTimeAsync(2_000);
  await closed;
  const count = tried.length;
  publisher.push("b", publish);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(tried).toHaveLength(count);
  expect(published).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
