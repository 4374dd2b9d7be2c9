import { expect, test } from "vitest";
import { checkOptions, checkTimes } from "./check-options.js";

test("[CN13] In a page's production build nothing is said of the options", () => {
  expect([checkOptions(), checkTimes()]).toEqual([undefined, undefined]);
});
