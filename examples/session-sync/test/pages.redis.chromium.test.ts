import { randomUUID } from "node:crypto";
import { status } from "@holdfast/example-kit/testing/chromium";
import { network } from "@holdfast/example-kit/testing/network";
import { runRedis } from "@holdfast/example-kit/testing/redis";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { anotherPress, fact, light, openPage, phone, picture, press, setUp, turnOf, useChromium } from "./page.js";
import { end, runMain } from "./run-main.js";

useChromium();

/** The time of the clock in seconds. */
const seconds = async (page: Page): Promise<number> => {
  const [minutes, rest] = (await page.locator(".stage .time").innerText()).split(":").map(Number);
  return minutes! * 60 + rest!;
};

test("[SX16] two pages on two instances show the same session, even after an outage and a reload, until one page deletes the session for both", async () => {
  const redis = await runRedis();
  const [a, b] = [await runMain({ redisUrl: redis.url }), await runMain({ redisUrl: redis.url })];
  const line = await network(b.port);
  const query = `?sessionId=${randomUUID()}`;
  const onA = await openPage(a.port, { query });
  await status(onA, "ready");
  await picture(onA, "setup-wide-dark");
  await setUp(onA, "Design review");
  const onB = await openPage(line.port, { query, look: phone });
  await onB.getByRole("heading", { name: "Design review" }).waitFor();
  await fact(onA, "instance", new RegExp(`:${a.port}$`));
  await fact(onB, "instance", new RegExp(`:${b.port}$`));
  for (const page of [onA, onB]) await fact(page, "watching", "2");

  // Each page shows the actions of the other page. The clocks agree, although the remaining time is
  // never sent.
  await press(onA, "Start");
  await onB.getByRole("button", { name: "Pause" }).waitFor();
  await press(onB, "Next turn");
  for (const page of [onA, onB]) await turnOf(page, "Grace");
  for (const page of [onA, onB]) await fact(page, "version", "3");
  await onA.waitForFunction(() => document.querySelector(".stage .time")?.textContent === "4:57");
  expect(Math.abs((await seconds(onA)) - (await seconds(onB)))).toBeLessThanOrEqual(1);
  await picture(onA, "running-wide-dark");
  await picture(onB, "running-phone-light");

  // An outage: the page misses two changes, shows the outage, and catches up by itself.
  line.cut();
  await status(onB, "waiting");
  await onB.getByRole("button", { name: "Next turn", disabled: true }).waitFor();
  await press(onA, "Next turn");
  await onA.getByLabel("Name of another participant").fill("Barbara");
  await press(onA, "Add");
  await fact(onA, "version", "5");
  await picture(onB, "away-phone-light");
  line.restore();
  await fact(onB, "version", "5");
  await turnOf(onB, "Edsger");
  await onB.getByRole("heading", { name: "Barbara" }).waitFor();
  expect(await onB.locator(".outage").isVisible()).toBe(false);

  // A reload: the session id in the address is enough to restore everything.
  await onB.reload();
  await fact(onB, "version", "5");
  await turnOf(onB, "Edsger");
  await press(onB, "Give turn to Barbara");
  await turnOf(onA, "Barbara");
  await press(onA, "Pause");
  await onB.getByRole("button", { name: "Resume" }).waitFor();
  const [left] = [await seconds(onA)];
  expect(await seconds(onB)).toBe(left);
  await fact(onB, "watching", "2");
  await picture(onB, "paused-phone-light");

  await press(onB, "Delete the session");
  await anotherPress(onB);
  await press(onB, "Delete for everyone?");
  for (const page of [onA, onB]) {
    await page.getByRole("heading", { name: "This session was deleted" }).waitFor();
    await status(page, "closed");
    expect(await page.locator(".stage").isVisible()).toBe(false);
    expect(await page.locator(".outage").isVisible()).toBe(false);
  }
  await picture(onA, "deleted-wide-dark");
  // A page that is opened after the deletion shows the same heading.
  await onA.reload();
  await onA.getByRole("heading", { name: "This session was deleted" }).waitFor();
});

test("[SX16] every action works by keyboard, and a link opens a second watcher", async () => {
  const { port } = await runMain();
  const page = await openPage(port, { look: light });
  await status(page, "ready");
  /** Presses Tab until the control has the focus, at most once around the page. */
  const tabTo = async (name: string): Promise<void> => {
    const wanted = page
      .getByLabel(name, { exact: true })
      .or(page.getByRole("button", { name, exact: true }))
      .first();
    await wanted.waitFor();
    for (let times = 0; times < 20; times++) {
      if (await wanted.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`Tab does not lead to ${name}.`);
  };
  await tabTo("Title");
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("Stand-up");
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Stand-up" }).waitFor();
  await page.getByText("In total: all participants share the time.").waitFor();
  await tabTo("Start");
  await page.keyboard.press("Enter");
  // The button Next turn is disabled until the session runs, and Tab skips disabled buttons.
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await tabTo("Next turn");
  await page.keyboard.press("Space");
  await turnOf(page, "Grace");
  await tabTo("Name of another participant");
  await page.keyboard.type("Barbara");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Barbara" }).waitFor();
  await tabTo("Give turn to Barbara");
  await page.keyboard.press("Enter");
  await turnOf(page, "Barbara");
  await picture(page, "total-wide-light");

  const opened = page.context().waitForEvent("page");
  await page.getByRole("link", { name: "Open a second watcher" }).click();
  const second = await opened;
  await turnOf(second, "Barbara");
  await fact(page, "watching", "2");
  expect(second.url()).toBe(page.url());

  await page.bringToFront();
  await tabTo("Delete the session");
  await page.keyboard.press("Enter");
  await anotherPress(page);
  await page.keyboard.press("Enter");
  for (const each of [page, second]) await each.getByRole("heading", { name: "This session was deleted" }).waitFor();
});

test("[SX16] an invalid session id in the address is reported, and after a restart of the server the page reconnects", async () => {
  const server = await runMain();
  const wrong = await openPage(server.port, { query: "?sessionId=abc", look: phone });
  await wrong.getByRole("heading", { name: "This session cannot be watched" }).waitFor();
  await wrong.getByText("is not a session id").waitFor();
  await picture(wrong, "refused-phone-light");

  const page = await openPage(server.port);
  await status(page, "ready");
  await setUp(page, "Retrospective");
  await end(server, "SIGTERM");
  await status(page, "waiting");
  await picture(page, "waiting-wide-dark");
  await runMain({ port: server.port });
  await status(page, "ready");
  // Without Redis, a session ends with its server.
  await page.getByRole("heading", { name: "A new session" }).waitFor();
});
