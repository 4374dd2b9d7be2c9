import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page, type PageScreenshotOptions } from "playwright-core";
import { expect, onTestFinished } from "vitest";

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: [
      // Required if Chromium runs as root, for example in a container.
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export interface Look {
  readonly width: number;
  readonly height: number;
  readonly colorScheme: "dark" | "light";
  readonly userAgent?: string;
}

/**
 * Opens a browser with its own cookies. An error in any of its tabs fails the test, unless the
 * error is in the console and matches `expected`. By default `expected` matches the errors that
 * Chromium logs if a WebSocket cannot open. Pages are drawn a little late, as on a busy computer,
 * so a test that reads a page before the page is drawn fails on every computer.
 */
export async function openBrowser(
  chrome: Browser,
  { width, height, ...rest }: Look,
  expected = /^WebSocket connection to .* failed/,
): Promise<BrowserContext> {
  const context = await chrome.newContext({ viewport: { width, height }, ...rest });
  await context.addInitScript(lateFrames, 100);
  const faults: string[] = [];
  context.on("weberror", (fault) => faults.push(fault.error().message));
  context.on("console", (message) => {
    if (message.type() === "error" && !expected.test(message.text())) faults.push(message.text());
  });
  onTestFinished(async () => {
    await context.close();
    expect(faults).toEqual([]);
  });
  return context;
}

/** Delays every frame at random. This function runs in the page. */
function lateFrames(atMostMs: number): void {
  const inNextFrame = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (draw) => window.setTimeout(() => inNextFrame(draw), Math.random() * atMostMs);
}

/** Waits until the pill of the page shows this status of the connection. */
export const status = (page: Page, name: string): Promise<void> =>
  page.locator(`.pill[data-status="${name}"]`).waitFor();

/**
 * Takes screenshots for people to look at, as `<name>.png` in `folder`. Chromium sometimes fails to
 * capture a page that has just been opened, so the screenshot is then taken once more.
 */
export const pictures =
  (folder: URL) =>
  async (page: Page, name: string, options: Omit<PageScreenshotOptions, "path"> = {}): Promise<void> => {
    const take = () => page.screenshot({ ...options, path: fileURLToPath(new URL(`${name}.png`, folder)) });
    await take().catch((error: unknown) => {
      if (!(error instanceof Error && error.message.includes("Unable to capture screenshot"))) throw error;
      return take();
    });
  };
