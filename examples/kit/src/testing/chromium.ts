import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page, type PageScreenshotOptions } from "playwright-core";
import { expect, onTestFinished } from "vitest";

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: [
      // Needed as root, as in a container.
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
 * A browser of its own: the cookies of one are not those of another. Any fault in one of its tabs
 * fails the test, but for those that are `expected`, such as what Chromium itself reports of a
 * socket that cannot open while there is no server. Its pages are drawn a little late, as on a busy
 * computer: a test that reads one before it is drawn fails here, and not only there.
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

/** Runs in the page. */
function lateFrames(atMostMs: number): void {
  const inNextFrame = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (draw) => window.setTimeout(() => inNextFrame(draw), Math.random() * atMostMs);
}

/** Waits until the page's pill shows this state of the connection. */
export const status = (page: Page, name: string): Promise<void> =>
  page.locator(`.pill[data-status="${name}"]`).waitFor();

/**
 * Takes pictures of pages for people to look at, as `<name>.png` in this folder. Chromium now and
 * then refuses the first picture of a page that has just been opened, and takes it when it is asked
 * again.
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
