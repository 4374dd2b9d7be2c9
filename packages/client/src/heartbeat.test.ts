import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemEnvironment } from "./environment.js";
import { createHeartbeat } from "./heartbeat.js";

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

function setUp() {
  const wire = { ping: vi.fn(), silent: vi.fn() };
  return { wire, heartbeat: createHeartbeat(systemEnvironment.clock, wire) };
}

test("[HB2] Silence for the whole limit is reported once, and no timer is left", () => {
  const { wire, heartbeat } = setUp();
  heartbeat.start(40_000);
  vi.advanceTimersByTime(39_999);
  expect(wire.silent).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(wire.silent).toHaveBeenCalledTimes(1);
  expect(vi.getTimerCount()).toBe(0);
});

test("[HB3] A frame starts the limit anew, without a new timer for each", () => {
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

test("[HB4] A probe pings and reports silence after 3 s", () => {
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

test("[HB4] Any frame answers a probe, and the limit counts from it", () => {
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

test("[HB5] A timer that fires long after it was due asks before it gives the connection up", () => {
  const { wire, heartbeat } = setUp();
  heartbeat.start(40_000);
  // The machine slept: the clock moved, the timer did not.
  vi.setSystemTime(600_000);
  vi.advanceTimersByTime(40_000);
  expect(wire.silent).not.toHaveBeenCalled();
  expect(wire.ping).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(3_000);
  expect(wire.silent).toHaveBeenCalledTimes(1);
});

test("[HB6] Stopping leaves no timer, whether it listens or probes, and a stopped heartbeat does nothing", () => {
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

test("[HB5] A machine whose monotonic clock went on while it slept is asked for as well", () => {
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
