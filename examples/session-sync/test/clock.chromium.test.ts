import { status } from "@holdfast/example-kit/testing/chromium";
import { expect, test } from "vitest";
import { between } from "./between.js";
import { openPage, useChromium } from "./page.js";
import { runMain } from "./run-main.js";
import { soon } from "./watcher.js";

useChromium();

test("[SX14] A page whose computer's clock is set asks the server for the time once more.", async () => {
  const { port } = await runMain();
  let asked = 0;
  const page = await openPage(port, {
    prepare: between({
      sent(frame) {
        if (frame.includes('"session.about"')) asked++;
        return false;
      },
    }),
  });
  await status(page, "ready");
  await expect.poll(() => asked, soon).toBe(1);
  await page.evaluate(() => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + 3_600_000;
  });
  await expect.poll(() => asked, soon).toBe(2);
});
