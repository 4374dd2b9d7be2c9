import { expect, test, vi } from "vitest";
import { emitter, store } from "./observable.js";

const ignore = (): void => undefined;

test("A store tells its listeners of changes, and not at once", () => {
  const value = store("a", ignore);
  const heard: string[] = [];
  value.subscribe((next) => heard.push(next));
  expect(heard).toEqual([]);
  value.set("b");
  value.set("b");
  expect(heard).toEqual(["b"]);
  expect(value.get()).toBe("b");
});

test("An unsubscribe ends only its own registration, and can be called twice", () => {
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

test("One bad listener harms no other, and its exception is passed on", () => {
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

test("A listener that is taken off while others are told is not called any more; one added then waits for the next", () => {
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

test("A listener that changes the value again never makes another one hear an older value after a newer", () => {
  const value = store(0, ignore);
  const heard: number[] = [];
  value.subscribe((next) => next === 1 && value.set(2));
  value.subscribe((next) => heard.push(next));
  value.set(1);
  expect(heard).toEqual([2]);
});
