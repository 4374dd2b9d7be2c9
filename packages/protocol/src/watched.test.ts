import { describe, expect, test, vi } from "vitest";
import { watched } from "./watched.js";

/**
 * Vitest fails a run that has an unhandled rejection, so each test also proves that none occurred.
 */
function rejecting(reason: unknown = new Error("no")) {
  const ignored = vi.fn();
  const promise = watched(Promise.reject<string>(reason), { ignored, later: (run) => void setTimeout(run) });
  return { promise, ignored, reason, turn: () => new Promise((resolve) => setTimeout(resolve, 5)) };
}

describe("an unhandled rejection", () => {
  test("[AM2] `ignored` is called once, with the reason", async () => {
    const { ignored, reason, turn } = rejecting();
    await turn();
    expect(ignored.mock.calls).toEqual([[reason]]);
  });

  test("[AM2] `ignored` is called once, even if several callbacks wait for the value", async () => {
    const { promise, ignored, turn } = rejecting();
    void promise.then(() => 1).then(() => 2);
    void promise.finally(() => {});
    void promise.finally(() => {}).then(() => 3);
    await turn();
    expect(ignored).toHaveBeenCalledTimes(1);
  });
});

describe("a handled rejection", () => {
  test.each<[name: string, handle: (promise: Promise<string>) => Promise<unknown>]>([
    ["await", async (promise) => await promise],
    ["catch", (promise) => promise.catch((error: unknown) => Promise.reject(error))],
    ["then with two functions", (promise) => promise.then(undefined, (error: unknown) => Promise.reject(error))],
    ["then and catch", (promise) => promise.then(() => 1).catch((error: unknown) => Promise.reject(error))],
    ["finally and await", (promise) => promise.finally(() => {})],
    ["Promise.all", (promise) => Promise.all([1, promise])],
    ["Promise.race", (promise) => Promise.race([new Promise(() => {}), promise])],
    ["an async function that returns the promise", async (promise) => promise],
    ["Promise.resolve", (promise) => Promise.resolve(promise)],
  ])("[AM2] a rejection handled by %s reaches the caller once, and `ignored` is not called", async (_name, handle) => {
    const { promise, ignored, reason, turn } = rejecting();
    await expect(handle(promise)).rejects.toBe(reason);
    await turn();
    expect(ignored).not.toHaveBeenCalled();
  });

  test("[AM2] a rejection handled later in the same turn reaches the caller, and `ignored` is not called", async () => {
    const { promise, ignored, reason, turn } = rejecting();
    for (let count = 0; count < 50; count++) await undefined;
    await expect(promise).rejects.toBe(reason);
    await turn();
    expect(ignored).not.toHaveBeenCalled();
  });

  test("[AM2] a rejection handled by `Promise.allSettled` reaches the caller, and `ignored` is not called", async () => {
    const { promise, ignored, reason, turn } = rejecting();
    expect(await Promise.allSettled([promise])).toEqual([{ status: "rejected", reason }]);
    await turn();
    expect(ignored).not.toHaveBeenCalled();
  });
});

test.each([new Error("a bug of the caller"), undefined])(
  "[AM2] an error that a callback of the caller throws stays an unhandled rejection: %o",
  async (bug) => {
    const ignored = vi.fn();
    const unhandled = new Promise((resolve) => {
      const others = process.listeners("unhandledRejection");
      process.removeAllListeners("unhandledRejection");
      process.once("unhandledRejection", (reason) => {
        for (const listener of others) process.on("unhandledRejection", listener);
        resolve(reason);
      });
    });
    void watched(Promise.resolve(1), { ignored, later: (run) => void setTimeout(run) }).then(() => {
      throw bug;
    });
    expect(await unhandled).toBe(bug);
    expect(ignored).not.toHaveBeenCalled();
  },
);

test("[AM2] a promise that a library makes by the constructor of a watched promise behaves as usual", async () => {
  const { constructor } = watched(Promise.resolve(7), { ignored: vi.fn(), later: () => {} });
  const made = (constructor as PromiseConstructor).resolve(1);
  expect(await made.then((value) => value + 1)).toBe(2);
  expect(await made.finally(() => {})).toBe(1);
  await expect((constructor as PromiseConstructor).reject(new Error("x")).then(() => 1)).rejects.toThrow("x");
});

test("[AM2] a watched promise that resolves behaves as usual", async () => {
  const promise = watched(Promise.resolve(7), { ignored: vi.fn(), later: () => {} });
  expect(promise).toBeInstanceOf(Promise);
  expect(await promise).toBe(7);
  expect(await promise.then((value) => value + 1)).toBe(8);
});
