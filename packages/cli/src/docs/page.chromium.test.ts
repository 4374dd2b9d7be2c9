import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { everything } from "../../test/everything.js";
import { protocolFiles } from "./index.js";

const flags =
  "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

let browser: Browser;
let folder: string;
let page: Page;
let requests: string[];
let errors: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-page-"));
  writeFileSync(join(folder, "index.html"), protocolFiles(everything).get("index.html")!);
  browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: flags.split(" "),
  });
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: "light" });
  requests = [];
  errors = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => errors.push(message.text()));
  await page.goto(pathToFileURL(join(folder, "index.html")).href, { waitUntil: "load" });
});
afterEach(async () => {
  await page.close();
});

const visible = (selector: string) => page.locator(`${selector}:visible`).count();

test("[DC8] the page sends no further request and logs no error", async () => {
  await page.mouse.wheel(0, 20_000);
  await page.locator("#theme").click();
  await page.locator("html[data-theme='dark']").waitFor();
  expect(requests).toEqual([pathToFileURL(join(folder, "index.html")).href]);
  expect(errors).toEqual([]);
});

test("[DC8] the page does not overflow at 1280 px and at 390 px", async () => {
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 800 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
  }
});

test("[DO12] at 390 px the contents are collapsed, and collapse again after a link is followed", async () => {
  const link = page.locator("nav a[href='#close-codes']");
  expect(await link.isVisible()).toBe(true);
  await page.setViewportSize({ width: 390, height: 800 });
  await link.waitFor({ state: "hidden" });
  await page.locator("#contents > summary").press("Enter");
  await link.click();
  await link.waitFor({ state: "hidden" });
  expect(await page.locator("#close-codes h2").isVisible()).toBe(true);
});

test("[DO12] headings descend one level at a time, and opened folds stay within 390 px", async () => {
  const levels = await page.evaluate<number[]>(
    "[...document.querySelectorAll('main :is(h1,h2,h3,h4,h5,h6)')].map(({ tagName }) => Number(tagName[1]))",
  );
  for (const [index, level] of levels.entries()) expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1);
  await page.setViewportSize({ width: 390, height: 800 });
  await page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })");
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
});

test("[DC8] the search shows only matching sections and their parents; Escape shows all sections again", async () => {
  const all = await visible("main section");
  await page.locator("#search").fill("water the plants");
  expect(await page.locator("#request-task\\.create").isVisible()).toBe(true);
  expect(await page.locator("#requests").isVisible()).toBe(true);
  expect(await page.locator("#channel-feed").isVisible()).toBe(false);
  expect(await page.locator("nav a[href='#channel-feed']").isVisible()).toBe(false);
  await page.locator("#search").fill("documentOf(client");
  expect(await visible("main section")).toBe(3); // channels, board, and its state
  await page.locator("#search").fill("no such words anywhere");
  expect(await visible("main section")).toBe(0);
  expect(await page.locator("#none").isVisible()).toBe(true);
  await page.keyboard.press("Escape");
  expect(await visible("main section")).toBe(all);
  expect(errors).toEqual([]);
});

test("[DC8] a followed link is marked in the contents, and the page stays at its target", async () => {
  await page.locator("nav a[href='#close-codes']").click();
  await page.locator("nav a.here[href='#close-codes']").waitFor();
  expect(await page.locator("#close-codes h2").isVisible()).toBe(true);
  expect(errors).toEqual([]);
});

test("[DC8] the theme follows the system until the reader chooses a theme", async () => {
  const ground = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
  const light = await ground();
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await ground();
  expect(dark).not.toBe(light);
  await page.locator("#theme").click();
  expect(await ground()).toBe(light);
});
