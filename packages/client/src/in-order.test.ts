import { expect, test } from "vitest";
import { inOrder } from "./in-order.js";

const ignore = (): void => undefined;

test("Items whose handling is done at once are handled in the caller's turn", () => {
  const handled: number[] = [];
  const push = inOrder<number>((item) => void handled.push(item), ignore);
  push(1);
  push(2);
  expect(handled).toEqual([1, 2]);
});

test("While one item is pending the later ones wait, and follow in order", async () => {
  const started: number[] = [];
  const finish: (() => void)[] = [];
  const push = inOrder<number>((item) => {
    started.push(item);
    return item % 2 === 1 ? new Promise<void>((resolve) => finish.push(resolve)) : undefined;
  }, ignore);
  for (const item of [1, 2, 3, 4]) push(item);
  expect(started).toEqual([1]);
  finish[0]!();
  await Promise.resolve();
  await Promise.resolve();
  expect(started).toEqual([1, 2, 3]);
  push(5);
  finish[1]!();
  await Promise.resolve();
  await Promise.resolve();
  expect(started).toEqual([1, 2, 3, 4, 5]);
});

test("An item pushed by the handling of another waits its turn", () => {
  const handled: number[] = [];
  const push = inOrder<number>((item) => {
    if (item === 1) push(3);
    handled.push(item);
    return undefined;
  }, ignore);
  push(1);
  push(2);
  expect(handled).toEqual([1, 3, 2]);
});
