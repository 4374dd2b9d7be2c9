import { status } from "@holdfast/example-kit/testing/chromium";
import { network } from "@holdfast/example-kit/testing/network";
import { expect, test } from "vitest";
import { between } from "./between.js";
import { openPage, press, setUp, useChromium } from "./page.js";
import { runMain } from "./run-main.js";

useChromium();

test("[SX24] A press whose answer is lost with the connection is said not to be known; pressed again it works.", async () => {
  const { port } = await runMain();
  const line = await network(port);
  let isLost = true;
  const page = await openPage(line.port, {
    prepare: between({
      sent(frame) {
        const loses = isLost && frame.includes('"session.resume"');
        if (loses) line.cut();
        return loses;
      },
    }),
  });
  const toasts = page.locator(".toast");
  await setUp(page, "Design review");
  await press(page, "Start");
  await toasts.getByText("It is not known whether that was done").waitFor();
  await press(page, "Dismiss");

  isLost = false;
  line.restore();
  await status(page, "ready");
  await press(page, "Start");
  await page.getByRole("button", { name: "Pause" }).waitFor();
  expect(await toasts.count()).toBe(0);
});
