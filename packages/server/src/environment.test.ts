import { expect, onTestFinished, test } from "vitest";
import { nodeEnvironment } from "./environment.js";
import { Expiring } from "./expiring.js";

/** Timers that keep this process alive. */
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

test("[SN17] a session that waits to be resumed, like all that only runs out, keeps no process alive", () => {
  const before = timers();
  const waiting = new Expiring<string>(nodeEnvironment, 60_000, () => {});
  onTestFinished(() => waiting.clear());
  waiting.add("a session");
  expect(timers()).toBe(before);
  const cancel = nodeEnvironment.after(60_000, () => {});
  expect(timers()).toBe(before + 1);
  cancel();
});

test("[SN18] a clock that is set back makes nothing wait longer than it may", () => {
  let now = 1_000_000;
  const due: { at: number; run: () => void }[] = [];
  const environment = {
    ...nodeEnvironment,
    now: () => now,
    afterIdle: (delayMs: number, run: () => void) => {
      due.push({ at: delayMs, run });
      return () => {};
    },
  };
  const expired: string[] = [];
  const waiting = new Expiring<string>(environment, 30_000, (item) => expired.push(item));
  waiting.add("before");
  now -= 3_600_000;
  waiting.add("after");
  now += 30_000;
  due.shift()!.run();
  expect(expired).toEqual(["before", "after"]);
  expect(due).toEqual([]);
});
