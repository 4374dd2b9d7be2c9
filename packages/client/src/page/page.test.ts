import { expect, test } from "vitest";
import { checkEvent } from "./check-event.js";
import { checkOptions, checkTimes } from "./check-options.js";

test("[CN13] In a page's production build nothing is said of the options", () => {
  expect([checkOptions(), checkTimes()]).toEqual([undefined, undefined]);
});

test("[PG12] In a page's production build a handler may be added for an event that the protocol does not have", () => {
  expect(checkEvent()).toBeUndefined();
});
