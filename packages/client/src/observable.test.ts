import { expect, test, vi } from "vitest";
import { emitter, store } from "./observable.js";

const ignore = (): void => undefined;

test("[CN27] a store calls a listener at once with the current value, then on each change, and not after the listener is unsubscribed", () => {
  const value = store("a", ignore);
  const heard: string[] = [];
  const off = value.subscribe((next) => heard.push(next));
  expect(heard).toEqual(["a"]);
  value.set("b");
  value.set("b");
  expect(heard).toEqual(["a", "b"]);
  expect(value.get()).toBe("b");
  off();
  value.set("c");
  expect(heard).toEqual(["a", "b"]);
});

test("[CN27] Svelte's `get`, which subscribes and unsubscribes at once, reads the value", () => {
  const value = store("a", ignore);
  let read: string | undefined;
  value.subscribe((next) => (read = next))();
  expect(read).toBe("a");
});

test("[CN27] if a listener changes the value in the first call, this listener and earlier listeners receive both values in order", () => {
  const value = store(0, ignore);
  const heard: string[] = [];
  value.subscribe((next) => heard.push(`before ${next}`));
  value.subscribe((next) => {
    heard.push(`itself ${next}`);
    if (next === 0) value.set(1);
  });
  expect(heard).toEqual(["before 0", "itself 0", "before 1", "itself 1"]);
});

test("[CN27] a listener that is added during a change receives the change once", () => {
  const value = store(0, ignore);
  const heard: string[] = [];
  value.subscribe((next) => {
    if (next === 1) value.subscribe((late) => heard.push(`late ${late}`));
  });
  value.subscribe((next) => heard.push(`other ${next}`));
  value.set(1);
  value.set(2);
  expect(heard).toEqual(["other 0", "late 1", "other 1", "other 2", "late 2"]);
});

test.each([
  [
    "throws",
    () => {
      throw new Error("bad");
    },
  ],
  ["rejects", () => Promise.reject(new Error("bad"))],
])(
  "[CN27] if the first call of a listener %s, `onFault` receives the error and the listener stays",
  async (_, fail) => {
    const faults: unknown[] = [];
    const value = store(0, (fault) => faults.push(fault));
    const heard: number[] = [];
    const off = value.subscribe((next) => {
      heard.push(next);
      return next === 0 ? fail() : undefined;
    });
    await Promise.resolve();
    await Promise.resolve();
    expect(faults).toEqual([new Error("bad")]);
    value.set(1);
    off();
    value.set(2);
    expect(heard).toEqual([0, 1]);
  },
);

test("an unsubscribe function removes only the registration that returned the function, and can be called twice", () => {
  const events = emitter<[number]>(ignore);
  const heard: number[] = [];
  const listener = (value: number): void => void heard.push(value);
  const off = events.on(listener);
  events.on(listener);
  off();
  off();
  events.emit(1);
  expect(heard).toEqual([1]);
});

test("a listener that throws does not affect other listeners, and `onFault` receives the exception", () => {
  const faults: unknown[] = [];
  const events = emitter<[]>((fault) => faults.push(fault));
  const good = vi.fn();
  const bad = new Error("bad");
  events.on(() => {
    throw bad;
  });
  events.on(good);
  events.emit();
  expect(good).toHaveBeenCalledTimes(1);
  expect(faults).toEqual([bad]);
});

test("a listener that is removed during a change is not called, and a listener that is added during a change waits for the next change", () => {
  const events = emitter<[]>(ignore);
  const late = vi.fn();
  const removed = vi.fn();
  events.on(() => {
    off();
    events.on(late);
  });
  const off = events.on(removed);
  events.emit();
  expect(removed).not.toHaveBeenCalled();
  expect(late).not.toHaveBeenCalled();
});

test("if a listener changes the value again, no listener receives an older value after a newer one", () => {
  const value = store(0, ignore);
  const heard: number[] = [];
  value.subscribe((next) => next === 1 && value.set(2));
  value.subscribe((next) => heard.push(next));
  value.set(1);
  expect(heard).toEqual([0, 2]);
});
