import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemEnvironment } from "./environment.js";
import { createHeartbeat } from "./heartbeat.js";

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

function setUp() {
  const wire = { ping: vi.fn(), silent: vi.fn() };
  return { wire, heartbeat: createHeartbeat(systemEnvironment.clock, wire) };
}

test("[HB2] silence for the whole limit is reported once and leaves no timer", () => {
  const { wire, heartbeat } = setUp();
  heartbeat.start(40_000);
  vi.advanceTimersByTime(39_999);
  expect(wire.silent).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(wire.silent).toHaveBeenCalledTimes(1);
  expect(vi.getTimerCount()).toBe(0);
});

test("[HB3] a frame restarts the limit without a new timer", () => {
  const { wire, heartbeat } = setUp();
  heartbeat.start(40_000);
  const set = vi.spyOn(globalThis, "setTimeout");
  for (let second = 0; second < 39; second++) {
    vi.advanceTimersByTime(1_000);
    heartbeat.heard();
  }
  expect(set).not.toHaveBeenCalled();
  vi.advanceTimersByTime(39_999);
  expect(wire.silent).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(wire.silent).toHaveBeenCalledTimes(1);
});

test("[HB4] a probe pings and reports silence after 3 s", () => {
  const { wire, heartbeat } = setUp();
  heartbeat.start(40_000);
  heartbeat.probe();
  heartbeat.probe();
  expect(wire.ping).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(2_999);
  expect(wire.silent).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(wire.silent).toHaveBeenCalledTimes(1);
});

test("[HB4] any frame answers a probe, and the limit begins again with that frame", () => {
  const { wire, heartbeat } = setUp();
  heartbeat.start(40_000);
  heartbeat.probe();
  vi.advanceTimersByTime(1_000);
  heartbeat.heard();
  vi.advanceTimersByTime(39_999);
  expect(wire.silent).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(wire.silent).toHaveBeenCalledTimes(1);
});

test("[HB5] if a timer fires long after its deadline, the heartbeat probes before it reports silence", () => {
  const { wire, heartbeat } = setUp();
  heartbeat.start(40_000);
  // The machine slept: the clock advanced and the timer did not.
  vi.setSystemTime(600_000);
  vi.advanceTimersByTime(40_000);
  expect(wire.silent).not.toHaveBeenCalled();
  expect(wire.ping).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(3_000);
  expect(wire.silent).toHaveBeenCalledTimes(1);
});

test("[HB6] stop() leaves no timer in any state, and a stopped heartbeat does nothing", () => {
  const { wire, heartbeat } = setUp();
  heartbeat.start(40_000);
  heartbeat.stop();
  expect(vi.getTimerCount()).toBe(0);
  heartbeat.start(40_000);
  heartbeat.probe();
  heartbeat.stop();
  heartbeat.stop();
  heartbeat.heard();
  heartbeat.probe();
  expect(vi.getTimerCount()).toBe(0);
  expect(wire.ping).toHaveBeenCalledTimes(1);
});

test("[HB5] if the monotonic clock continued while the machine slept, the heartbeat also probes", () => {
  let slept = 0;
  const { now, monotonic, after } = systemEnvironment.clock;
  const wire = { ping: vi.fn(), silent: vi.fn() };
  const heartbeat = createHeartbeat({ now, monotonic: () => monotonic() + slept, after }, wire);
  heartbeat.start(40_000);
  slept = 600_000;
  vi.advanceTimersByTime(40_000);
  expect([wire.ping.mock.calls.length, wire.silent.mock.calls.length]).toEqual([1, 0]);
  heartbeat.heard();
  vi.advanceTimersByTime(39_999);
  expect(wire.silent).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(wire.silent).toHaveBeenCalledTimes(1);
});
