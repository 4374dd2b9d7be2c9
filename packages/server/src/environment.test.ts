import { defineProtocol } from "@holdfast/protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import { VirtualEnvironment } from "../test/support/virtual-environment.js";
import { createServer } from "./create-server.js";
import { type ServerEnvironment, nodeEnvironment } from "./environment.js";
import { ExpiryQueue } from "./async/expiry-queue.js";

/** The number of timers that keep this process alive. */
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

test("[SN17] ExpiryQueue: a session that waits to be resumed does not keep the process alive", () => {
  const before = timers();
  const waiting = new ExpiryQueue<string>(nodeEnvironment, 60_000, () => {});
  onTestFinished(() => waiting.clear());
  waiting.add("a session");
  expect(timers()).toBe(before);
  const cancel = nodeEnvironment.after(60_000, () => {});
  expect(timers()).toBe(before + 1);
  cancel();
});

test("[SN18] ExpiryQueue: items expire on time if the wall clock is set back", () => {
  const environment = new VirtualEnvironment();
  const expired: string[] = [];
  const waiting = new ExpiryQueue<string>(environment, 30_000, (item) => expired.push(item));
  waiting.add("before");
  environment.setWallClock(-3_600_000);
  environment.pass(1_000);
  waiting.add("after");
  environment.pass(29_000);
  expect(expired).toEqual(["before"]);
  environment.pass(1_000);
  expect(expired).toEqual(["before", "after"]);
  expect(environment.timers).toBe(0);
});

test("nodeEnvironment: a delay longer than a timer can hold becomes 24 days and does not fire at once", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const run = vi.fn();
  const { after, afterIdle, every } = nodeEnvironment;
  const started = [after(1e12, run), afterIdle(Number.POSITIVE_INFINITY, run), every(1e12, run)];
  vi.advanceTimersByTime(1_000_000);
  expect(run).not.toHaveBeenCalled();
  for (const cancel of started) cancel();
  expect(vi.getTimerCount()).toBe(0);
});

test("[WC4] createServer throws INVALID_OPTION with the name of a member that the environment lacks", () => {
  const protocol = defineProtocol({ name: "p", version: "1.0.0" });
  const { monotonic: _, ...environment } = nodeEnvironment;
  expect(() => createServer(protocol, { environment: environment as ServerEnvironment })).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION", field: "environment.monotonic" }) as Error,
  );
});
