import { status } from "@holdfast/example-kit/testing/chromium";
import { network } from "@holdfast/example-kit/testing/network";
import { expect, test, vi } from "vitest";
import { between, cutAt } from "./between.js";
import { anotherPress, fact, openPage, press, setUp, turnOf, useChromium } from "./page.js";
import { runMain } from "./run-main.js";
import { soon } from "./watcher.js";

useChromium();

test("[SX24] if the connection is lost before the answer, the page says that the result is unknown, and the next press works", async () => {
  const { port } = await runMain();
  const line = await network(port);
  let isLost = true;
  const page = await openPage(line.port, {
    prepare: cutAt(line, "session.resume", () => isLost),
  });
  const toasts = page.locator(".toast");
  await setUp(page, "Design review");
  await press(page, "Start");
  await toasts.getByText("The result is unknown").waitFor();
  await press(page, "Dismiss");

  isLost = false;
  line.restore();
  await status(page, "ready");
  await anotherPress(page);
  await press(page, "Start");
  await page.getByRole("button", { name: "Pause" }).waitFor();
  expect(await toasts.count()).toBe(0);
});

test("[SX25] a double-click on the form sends session.create once, even if the answer is late", async () => {
  const { port } = await runMain();
  const held: (() => void)[] = [];
  let created = 0;
  const page = await openPage(port, {
    prepare: between({
      sent(frame) {
        if (frame.includes('"session.create"')) created++;
        return false;
      },
      received: (_frame, deliver) => created > 0 && held.push(deliver) > 0,
    }),
  });
  await page.getByRole("button", { name: "Set up the session" }).dblclick();
  await vi.waitFor(() => expect(held.length).toBeGreaterThan(0), soon);
  await page.getByRole("button", { name: "Set up the session" }).click();
  for (const deliver of held) deliver();
  await page.getByRole("heading", { name: "Design review" }).waitFor();
  expect([created, await page.locator(".toast").count()]).toEqual([1, 0]);
});

test("[SX21] a double-click or a held key counts as one press, even if the answer arrives between the clicks", async () => {
  const { port } = await runMain();
  const page = await openPage(port);
  await setUp(page, "Design review");
  /** Clicks at a moment before the page was opened, so a later real click is always a new press. */
  const clickAt = (name: string, moment: number) =>
    page.getByRole("button", { name }).evaluate((button, timeStamp) => {
      const click = new MouseEvent("click");
      Object.defineProperty(click, "timeStamp", { value: timeStamp });
      button.dispatchEvent(click);
    }, moment);
  await clickAt("Start", -2_000);
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await clickAt("Pause", -1_800);
  await clickAt("Next turn", -1_000);
  await turnOf(page, "Grace");
  await clickAt("Next turn", -800);

  await page.getByRole("button", { name: "Next turn" }).focus();
  for (let times = 0; times < 5; times++) {
    await page.keyboard.down("Enter");
    await turnOf(page, "Edsger");
  }
  await page.keyboard.up("Enter");
  await press(page, "Give turn to Ada");
  await turnOf(page, "Ada");
  // Version 5: the session was created and started, and the turn has changed three times.
  await fact(page, "version", "5");
});
