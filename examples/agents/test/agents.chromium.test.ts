import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launchChromium, type Look, openBrowser, pictures, status } from "@holdfast/example-kit/testing/chromium";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import type { Agent } from "../src/protocol.js";
import { alive, build, end, runMain } from "./run-main.js";

const picture = pictures(new URL("../.artifacts/", import.meta.url));
let browser: Browser;

beforeAll(async () => {
  build();
  browser = await launchChromium();
});
afterAll(() => browser.close());

const wide: Look = { width: 1440, height: 900, colorScheme: "dark" };
const phone: Look = { width: 390, height: 844, colorScheme: "light" };

async function openPage(port: number, look: Look): Promise<Page> {
  const context = await openBrowser(browser, look);
  const page = await context.newPage();
  await page.goto(`http://localhost:${port}/`);
  return page;
}

const shownIds = async (page: Page) =>
  new Set(
    await page.$$eval("[data-agent]", (elements) => elements.map((element) => element.getAttribute("data-agent"))),
  );
const idsOf = (list: readonly Agent[]) => new Set(list.map(({ id }) => id));

test("[EX23] after a crash and restart of the server, the page shows the outage, reconnects by itself and lists the new agents", async () => {
  const server = await runMain();
  const page = await openPage(server.port, wide);
  await status(page, "ready");

  // Start a program with a chosen option. The page shows the output of the real process.
  await page.getByLabel("Prime search: pace").selectOption("steady");
  await page.getByRole("button", { name: "Start Prime search" }).click();
  await page.getByText("· steady").waitFor();
  await page.waitForFunction(() => document.querySelector(".lines")?.textContent?.includes("primes up to"));
  await page.waitForFunction(() => document.querySelectorAll(".card .spark-line[d^=M]").length === 3);
  const before = await server.list();
  expect(await shownIds(page)).toEqual(idsOf(before));
  await picture(page, "ready-wide-dark");

  await end(server, "SIGKILL");
  await status(page, "waiting");
  await page.waitForFunction(() => /^\d+ s$/.test(document.querySelector(".countdown")?.textContent ?? ""));
  await page.getByRole("button", { name: "Start Prime search", disabled: true }).waitFor();
  expect(await page.getByRole("button", { name: "Try now" }).isEnabled()).toBe(true);
  await picture(page, "waiting-wide-dark");
  await vi.waitFor(() => expect(before.some(({ pid }) => alive(pid))).toBe(false), { timeout: 5_000 });

  const restarted = await runMain({ port: server.port });
  await status(page, "ready");
  const after = await restarted.list();
  await vi.waitFor(async () => expect(await shownIds(page)).toEqual(idsOf(after)), { timeout: 10_000 });
  expect(after.filter(({ id }) => idsOf(before).has(id))).toEqual([]);
  expect(await page.locator(".outage").isVisible()).toBe(false);
  // The agents are not only listed: new log lines arrive.
  await page.waitForFunction(() => document.querySelectorAll(".lines li").length >= 2);
  await picture(page, "back-wide-dark");
});

test("[EX21] the log of an agent contains the lines from before the page was opened, and new lines follow", async () => {
  const server = await runMain();
  const agent = (await server.list()).find(({ program }) => program === "watch-host");
  await vi.waitFor(async () => expect((await server.log(agent?.id ?? "")).length).toBeGreaterThan(2), {
    timeout: 10_000,
  });
  const page = await openPage(server.port, wide);
  await status(page, "ready");
  // Wait for a live line, so that the log is loaded after a live line.
  await page.locator(`[data-agent="${agent?.id}"] .last-line`).getByText("cores").waitFor();
  await page.locator(`[data-agent="${agent?.id}"] .card-title`).click();
  await page.waitForFunction(() => document.querySelectorAll(".lines li").length > 4);
  const numbers = await page.$$eval(".lines li", (lines) => lines.map((line) => (line as HTMLLIElement).value));
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test("[EX24] the Stop button stops an agent, and the page shows how the agent ended", async () => {
  const server = await runMain();
  const page = await openPage(server.port, phone);
  await status(page, "ready");
  const [agent] = await server.list();
  await page.getByRole("button", { name: `Stop Prime search, process ${agent?.pid}` }).click();
  const row = page.locator(`.ended [data-agent="${agent?.id}"]`);
  await row.getByText("stopped").waitFor();
  expect(alive(agent?.pid ?? 0)).toBe(false);
  expect(await page.locator(".card").count()).toBe(1);
  await picture(page, "ready-phone-light");
});

test("[EX24] on a phone, a fade over a cut-off button shows that the start bar scrolls, and the last button is clear of the fade", async () => {
  const server = await runMain();
  const page = await openPage(server.port, phone);
  await status(page, "ready");
  await page.locator(".chip").last().waitFor();
  const bar = page.locator(".launcher");
  /** The edges of the buttons and of the fade, in pixels from the left edge of the window. */
  const edges = () =>
    bar.evaluate((element) => {
      const { maskImage, paddingRight } = getComputedStyle(element);
      const { right } = element.getBoundingClientRect();
      const chips = [...element.children].map((chip) => chip.getBoundingClientRect());
      return {
        hasFade: maskImage.startsWith("linear-gradient"),
        fade: { left: right - parseFloat(paddingRight), right },
        chips: chips.map((box) => ({ left: box.left, right: box.right })),
      };
    });
  const start = await edges();
  expect(start.hasFade).toBe(true);
  expect(start.fade.right).toBe(390);
  expect(start.chips.some(({ left, right }) => left < start.fade.right - 8 && right > start.fade.left + 8)).toBe(true);
  await picture(page, "start-bar-phone-light");
  await bar.evaluate((element) => (element.scrollLeft = element.scrollWidth));
  const end = await edges();
  expect(end.chips.at(-1)?.right).toBeLessThanOrEqual(end.fade.left);
  expect(end.chips[0]?.right).toBeLessThan(start.chips[0]?.right ?? 0);
});

test("[EX25] the output of a program is shown as text and never parsed as HTML", async () => {
  const cwd = await mkdtemp(join(tmpdir(), "agents-html-"));
  onTestFinished(() => rm(cwd, { recursive: true }));
  const name = "<img src=x onerror=document.title='owned'>.md";
  await writeFile(join(cwd, name), "one two three\n");
  const server = await runMain({ cwd });
  const page = await openPage(server.port, { ...wide, colorScheme: "light" });
  await status(page, "ready");
  await page.getByRole("button", { name: "Start Word count" }).click();
  await page.locator(".lines").getByText(name).waitFor();
  expect(await page.locator("main img").count()).toBe(0);
  expect(await page.title()).toBe("Agents · Holdfast");
  await picture(page, "ready-wide-light");
});
