import { randomUUID } from "node:crypto";
import { status } from "@holdfast/example-kit/testing/chromium";
import { network } from "@holdfast/example-kit/testing/network";
import { expect, test } from "vitest";
import { between } from "./between.js";
import { anotherPress, focused, openPage, press, setUp, turnOf, useChromium } from "./page.js";
import { runMain } from "./run-main.js";
import { design, soon, watch } from "./watcher.js";

useChromium();

test("[SX22] the button Try now keeps the focus during an attempt, and the heading gets the focus when the page is live again", async () => {
  const { port } = await runMain();
  const line = await network(port);
  const page = await openPage(line.port);
  await setUp(page, "Design review");
  line.cut();
  await status(page, "waiting");
  const retry = page.getByRole("button", { name: "Try now" });
  await retry.evaluate((button) => {
    const tried: (string | null)[] = [];
    Object.assign(window, { tried });
    new MutationObserver(() => tried.push(button.getAttribute("aria-disabled"))).observe(button, {
      attributeFilter: ["aria-disabled"],
    });
  });
  await retry.focus();
  await page.keyboard.press("Enter");
  // The attempt fails, because the network is still cut.
  await expect.poll(() => page.evaluate("tried.includes('true')"), soon).toBe(true);
  await status(page, "waiting");
  expect(await focused(page)).toBe("BUTTON Try now");

  line.restore();
  await page.keyboard.press("Enter");
  await status(page, "ready");
  await expect.poll(() => focused(page), soon).toBe("H2 Design review");
});

test("[SX22] dismissing a message moves the focus to the next message, and dismissing the last message moves the focus back to the button that was used before", async () => {
  const { port } = await runMain();
  const sessionId = randomUUID();
  const { client } = await watch(port, sessionId);
  await client.request("session.create", design);
  await client.request("session.resume");
  let isHeld = false;
  const page = await openPage(port, {
    query: `?sessionId=${sessionId}`,
    // A frame without a correlation id is a change of the document.
    prepare: between({ received: (frame) => isHeld && !frame.includes("correlation_id") }),
  });
  await turnOf(page, "Ada");
  isHeld = true;
  await client.request("session.pause");
  const [toasts, next] = [page.locator(".toast"), page.getByRole("button", { name: "Next turn" })];
  await next.click();
  await toasts.nth(0).getByText("paused, not running").waitFor();
  await anotherPress(page);
  await next.click();
  await toasts.nth(1).waitFor();

  await toasts.nth(0).getByRole("button", { name: "Dismiss" }).focus();
  await page.keyboard.press("Enter");
  expect([await toasts.count(), await focused(page)]).toEqual([1, "BUTTON ×"]);
  await page.keyboard.press("Enter");
  expect([await toasts.count(), await focused(page)]).toEqual([0, "BUTTON Next turn"]);
});

test("[SX22] starting and stopping the clock is announced to screen readers", async () => {
  const { port } = await runMain();
  const page = await openPage(port);
  await setUp(page, "Design review");
  const told = page.locator("#stage").getByRole("status");
  await press(page, "Start");
  await told.getByText("Running. Cycle 1: Ada").waitFor({ state: "attached" });
  await anotherPress(page);
  await press(page, "Pause");
  await told.getByText("Paused. Cycle 1: Ada").waitFor({ state: "attached" });
});
