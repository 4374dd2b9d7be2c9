import { expect, test } from "vitest";
import { ServerClock } from "./server-clock.js";

test("[SX14] The page counts by the server's clock, whatever its own says, to half of a round trip.", async () => {
  let own = 1_000_000;
  const clock = new ServerClock(() => own);
  expect(clock.now).toBe(1_000_000);
  await clock.set(async () => {
    own += 40;
    return new Date(5_000_000);
  });
  expect(clock.now).toBe(5_000_020);
  own += 1_000;
  expect(clock.now).toBe(5_001_020);
});
