import { launchChromium, type Look, openBrowser, pictures } from "@holdfast/example-kit/testing/chromium";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { build } from "./run-main.js";

const takePicture = pictures(new URL("../.artifacts/", import.meta.url));
let chrome: Browser;

/** Builds the example and starts Chromium for all tests of a file. */
export function useChromium(): void {
  beforeAll(async () => {
    build();
    chrome = await launchChromium();
  });
  afterAll(() => chrome.close());
}

export const wide: Look = { width: 1280, height: 860, colorScheme: "dark" };
export const light: Look = { ...wide, colorScheme: "light" };
export const phone: Look = { width: 390, height: 844, colorScheme: "light" };
/** The errors that Chromium itself logs if the server or the network is away. */
const expected = /^WebSocket connection to .* failed|^Failed to load resource: net::ERR_/;

export interface OpenOptions {
  query?: string;
  look?: Look;
  /** Runs before the page is loaded. */
  prepare?: (page: Page) => Promise<void>;
}

export async function openPage(port: number, { query = "", look = wide, prepare }: OpenOptions = {}): Promise<Page> {
  const context = await openBrowser(chrome, look, expected);
  const page = await context.newPage();
  await prepare?.(page);
  await page.goto(`http://localhost:${port}/${query}`);
  return page;
}

/** Fills in the form that the page shows if its session does not exist yet. */
export async function setUp(page: Page, title: string): Promise<void> {
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Minutes").fill("5");
  await page.getByLabel("Participants, one per line").fill("Ada\nGrace\nEdsger");
  await press(page, "Set up the session");
  await page.getByRole("heading", { name: title }).waitFor();
}

export const press = (page: Page, name: string): Promise<void> => page.getByRole("button", { name }).click();

/**
 * Waits until the next click counts as a new press. The page ignores clicks within 500 ms of a
 * press, so the test has to wait in real time.
 */
export const anotherPress = (page: Page): Promise<void> => page.waitForTimeout(600);

export const fact = (page: Page, name: string, text: string | RegExp): Promise<void> =>
  page.locator(`[data-fact="${name}"]`).getByText(text, { exact: true }).waitFor();

export const turnOf = (page: Page, name: string): Promise<void> =>
  page.locator(".turn-name").getByText(name, { exact: true }).waitFor();

export const picture = (page: Page, name: string): Promise<void> => takePicture(page, name, { fullPage: true });

export const focused = (page: Page): Promise<string> =>
  page.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.textContent}`);
