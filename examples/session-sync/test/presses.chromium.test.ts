import { status } from "@holdfast/example-kit/testing/chromium";
import { network } from "@holdfast/example-kit/testing/network";
import { expect, test, vi } from "vitest";
import { between, cutAt } from "./between.js";
import { anotherPress, fact, openPage, press, setUp, turnOf, useChromium } from "./page.js";
import { runMain } from "./run-main.js";
import { soon } from "./watcher.js";

useChromium();

test("[SX24] A press whose answer is lost with the connection is said not to be known; pressed again it works.", async () => {
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

test("[SX25] A double-click on the form sets the session up once, however late the answer is.", async () => {
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

test("[SX21] A double-click starts the clock and moves the turn once, though the first press is answered before the second; so does a key that is held down.", async () => {
  const { port } = await runMain();
  const page = await openPage(port);
  await setUp(page, "Design review");
  /** Before the page was opened, so that what is pressed after it is another press. */
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
  // Set up, started, and three turns more.
  await fact(page, "version", "5");
});
