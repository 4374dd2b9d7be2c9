import { duration } from "@holdfast/example-kit/page/duration";
import { expect, test } from "vitest";
import { countdown } from "./format.js";

test.each([
  [300_000, "5:00"],
  [299_999, "5:00"],
  [247_000, "4:07"],
  [1, "0:01"],
  [0, "0:00"],
  [-999, "0:00"],
  [-12_400, "+0:12"],
  [3_723_000, "1:02:03"],
])("[SX14] %i ms left are shown as %s.", (ms, text) => {
  expect(countdown(ms)).toBe(text);
});

test.each([
  [999, "0 s"],
  [61_000, "1 min 1 s"],
  [3_660_000, "1 h 1 min"],
])("[SX14] %i ms used are shown as %s.", (ms, text) => {
  expect(duration(ms)).toBe(text);
});
