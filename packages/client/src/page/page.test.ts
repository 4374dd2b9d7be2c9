import { expect, test } from "vitest";
import { checkOptions, checkTimes } from "./check-options.js";

test("[CN13] a page's production build does not check its options", () => {
  expect([checkOptions(), checkTimes()]).toEqual([undefined, undefined]);
});
