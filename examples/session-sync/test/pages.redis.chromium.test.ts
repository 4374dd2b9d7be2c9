import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { launchChromium, type Look, openBrowser, status } from "@holdfast/example-kit/testing/chromium";
import { network } from "@holdfast/example-kit/testing/network";
import { runRedis } from "@holdfast/example-kit/testing/redis";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build, end, runMain } from "./run-main.js";

const pictures = fileURLToPath(new URL("../.artifacts/", import.meta.url));
let chrome: Browser;

beforeAll(async () => {
  build();
  await mkdir(pictures, { recursive: true });
  chrome = await launchChromium();
});
afterAll(() => chrome.close());

const wide: Look = { width: 1280, height: 860, colorScheme: "dark" };
const light: Look = { ...wide, colorScheme: "light" };
const phone: Look = { width: 390, height: 844, colorScheme: "light" };
/** What Chromium itself reports where there is no server, or no network. */
const expected = /^WebSocket connection to .* failed|^Failed to load resource: net::ERR_/;

async function openPage(port: number, query = "", look: Look = wide): Promise<Page> {
  const context = await openBrowser(chrome, look, expected);
  const page = await context.newPage();
  await page.goto(`http://localhost:${port}/${query}`);
  return page;
}

/** Fills in the form of an address that has no session yet. */
async function setUp(page: Page, title: string): Promise<void> {
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Minutes").fill("5");
  await page.getByLabel("Participants, one a line").fill("Ada\nGrace\nEdsger");
  await page.getByRole("button", { name: "Set up the session" }).click();
  await page.getByRole("heading", { name: title }).waitFor();
}

const press = (page: Page, name: string) => page.getByRole("button", { name }).click();
const fact = (page: Page, name: string, text: string | RegExp) =>
  page.locator(`[data-fact="${name}"]`).getByText(text, { exact: true }).waitFor();
const turnOf = (page: Page, name: string) => page.locator(".turn-name").getByText(name, { exact: true }).waitFor();
/** The seconds that the clock shows. */
const seconds = async (page: Page): Promise<number> => {
  const [minutes, rest] = (await page.locator(".stage .time").innerText()).split(":").map(Number);
  return minutes! * 60 + rest!;
};
const picture = (page: Page, name: string) => page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });

test("[SX16] Two pages on two instances show the same session; one that was cut off, and one that is loaded again, have all of it; deleted, it ends for both.", async () => {
  const redis = await runRedis();
  const [a, b] = [await runMain({ redisUrl: redis.url }), await runMain({ redisUrl: redis.url })];
  const line = await network(b.port);
  const query = `?sessionId=${randomUUID()}`;
  const onA = await openPage(a.port, query);
  await status(onA, "ready");
  await picture(onA, "setup-wide-dark");
  await setUp(onA, "Design review");
  const onB = await openPage(line.port, query, phone);
  await onB.getByRole("heading", { name: "Design review" }).waitFor();
  await fact(onA, "instance", new RegExp(`:${a.port}$`));
  await fact(onB, "instance", new RegExp(`:${b.port}$`));
  for (const page of [onA, onB]) await fact(page, "watching", "2");

  // What one does the other sees, and their clocks agree though nobody sends the time.
  await press(onA, "Start");
  await onB.getByRole("button", { name: "Pause" }).waitFor();
  await press(onB, "Next turn");
  for (const page of [onA, onB]) await turnOf(page, "Grace");
  for (const page of [onA, onB]) await fact(page, "version", "3");
  await onA.waitForFunction(() => document.querySelector(".stage .time")?.textContent === "4:57");
  expect(Math.abs((await seconds(onA)) - (await seconds(onB)))).toBeLessThanOrEqual(1);
  await picture(onA, "running-wide-dark");
  await picture(onB, "running-phone-light");

  // Cut off, it misses two changes, says so, and catches up by itself.
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

  // Loaded again, the address is all it takes.
  await onB.reload();
  await fact(onB, "version", "5");
  await turnOf(onB, "Edsger");
  await press(onB, "Give the turn to Barbara");
  await turnOf(onA, "Barbara");
  await press(onA, "Pause");
  await onB.getByRole("button", { name: "Resume" }).waitFor();
  const [left] = [await seconds(onA)];
  expect(await seconds(onB)).toBe(left);
  await fact(onB, "watching", "2");
  await picture(onB, "paused-phone-light");

  await press(onB, "Delete the session");
  await press(onB, "Delete it for everyone?");
  for (const page of [onA, onB]) {
    await page.getByRole("heading", { name: "This session was deleted" }).waitFor();
    await status(page, "closed");
    expect(await page.locator(".stage").isVisible()).toBe(false);
    expect(await page.locator(".outage").isVisible()).toBe(false);
  }
  await picture(onA, "deleted-wide-dark");
  // A page that was not there when it happened is told the same.
  await onA.reload();
  await onA.getByRole("heading", { name: "This session was deleted" }).waitFor();
});

test("[SX16] All of it can be done by keyboard, and a second watcher is a link away.", async () => {
  const { port } = await runMain();
  const page = await openPage(port, "", light);
  await status(page, "ready");
  await page.getByLabel("Title").focus();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("Stand-up");
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Stand-up" }).waitFor();
  await page.getByText("In total: all share the time.").waitFor();
  await page.getByRole("button", { name: "Start" }).focus();
  await page.keyboard.press("Enter");
  // Until the session runs there is no next turn, and what is disabled takes no focus.
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await page.getByRole("button", { name: "Next turn" }).focus();
  await page.keyboard.press("Space");
  await turnOf(page, "Grace");
  await picture(page, "total-wide-light");

  const opened = page.context().waitForEvent("page");
  await page.getByRole("link", { name: "Open a second watcher" }).click();
  const second = await opened;
  await turnOf(second, "Grace");
  await fact(page, "watching", "2");
  expect(second.url()).toBe(page.url());
});

test("[SX16] An address whose session is no id says so; a server that is gone is said, and come back to.", async () => {
  const server = await runMain();
  const wrong = await openPage(server.port, "?sessionId=abc", phone);
  await wrong.getByRole("heading", { name: "This session cannot be watched" }).waitFor();
  await wrong.getByText("not the id of a session").waitFor();
  await picture(wrong, "refused-phone-light");

  const page = await openPage(server.port);
  await status(page, "ready");
  await setUp(page, "Retrospective");
  await end(server, "SIGTERM");
  await status(page, "waiting");
  await picture(page, "waiting-wide-dark");
  await runMain({ port: server.port });
  await status(page, "ready");
  // Without Redis a session lives as long as its server.
  await page.getByRole("heading", { name: "A new session" }).waitFor();
});
