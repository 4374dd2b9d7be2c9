import { expect, test } from "vitest";
import { inOrder, type OrderParts } from "./in-order.js";

interface Item {
  readonly id: number;
  readonly size: number;
}

const push = (parts: Partial<OrderParts<Item>> & Pick<OrderParts<Item>, "handle">) => {
  const enqueue = inOrder<Item>({ finished: () => undefined, dropsAll: false, dropped: () => undefined, ...parts });
  return (id: number, size = 1): void => enqueue({ id, size });
};

test("items without a pending promise are handled synchronously", () => {
  const handled: number[] = [];
  const enqueue = push({ handle: ({ id }) => void handled.push(id) });
  enqueue(1);
  enqueue(2);
  expect(handled).toEqual([1, 2]);
});

test("later items wait for a pending item and follow in order", async () => {
  const started: number[] = [];
  const finish: (() => void)[] = [];
  const enqueue = push({
    handle({ id }) {
      started.push(id);
      return id % 2 === 1 ? new Promise<void>((resolve) => finish.push(resolve)) : undefined;
    },
  });
  for (const id of [1, 2, 3, 4]) enqueue(id);
  expect(started).toEqual([1]);
  finish[0]!();
  await Promise.resolve();
  await Promise.resolve();
  expect(started).toEqual([1, 2, 3]);
  enqueue(5);
  finish[1]!();
  await Promise.resolve();
  await Promise.resolve();
  expect(started).toEqual([1, 2, 3, 4, 5]);
});

test("an item that is added while another item is handled waits", () => {
  const handled: number[] = [];
  const enqueue = push({
    handle({ id }) {
      if (id === 1) enqueue(3);
      handled.push(id);
      return undefined;
    },
  });
  enqueue(1);
  enqueue(2);
  expect(handled).toEqual([1, 3, 2]);
});

/** A queue whose first item is pending until `finish`. */
function busy(dropsAll: boolean) {
  const handled: number[] = [];
  const dropped: { ids: number[]; current: number }[] = [];
  let finish: () => void = () => undefined;
  const enqueue = push({
    dropsAll,
    dropped: (items, current) => dropped.push({ ids: items.map(({ id }) => id), current: current.id }),
    handle({ id }) {
      handled.push(id);
      return id === 0 ? new Promise<void>((resolve) => (finish = resolve)) : undefined;
    },
  });
  enqueue(0);
  const done = async (): Promise<void> => {
    finish();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { handled, dropped, enqueue, done };
}

const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, at) => first + at);

test("[CH22] beyond 10,000 items the oldest items are dropped until 9,000 remain, and the remaining items are handled", async () => {
  const { handled, dropped, enqueue, done } = busy(false);
  for (const id of upTo(10_000)) enqueue(id);
  expect(dropped).toEqual([]);
  enqueue(10_001);
  expect(dropped).toEqual([{ ids: upTo(1_001), current: 0 }]);
  for (const id of upTo(11_001, 10_002)) enqueue(id);
  expect(dropped).toHaveLength(1);
  await done();
  expect(handled).toEqual([0, ...upTo(11_001, 1_002)]);
});

test("[CH22] beyond 2 MiB the oldest items are dropped, and the newest item stays however large it is", async () => {
  const { handled, dropped, enqueue, done } = busy(false);
  for (const id of upTo(8)) enqueue(id, 2_097_152 / 8);
  expect(dropped).toEqual([]);
  enqueue(9, 1);
  expect(dropped.map(({ ids }) => ids)).toEqual([[1]]);
  enqueue(10, 3_000_000);
  expect(dropped.map(({ ids }) => ids)).toEqual([[1], upTo(9, 2)]);
  await done();
  expect(handled).toEqual([0, 10]);
});

test("[RS22] with `dropsAll`, all waiting items are dropped, and later items are handled", async () => {
  const { handled, dropped, enqueue, done } = busy(true);
  for (const id of upTo(10_001)) enqueue(id);
  expect(dropped).toEqual([{ ids: upTo(10_001), current: 0 }]);
  enqueue(10_002);
  await done();
  expect(handled).toEqual([0, 10_002]);
});
