import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
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
 * A browser of its own: the cookies of one are not those of another. Any fault in one of its tabs fails the test, but for those
 * that are `expected`, such as what Chromium itself reports of a socket that cannot open while there is no server.
 */
export async function openBrowser(
  chrome: Browser,
  { width, height, ...rest }: Look,
  expected = /^WebSocket connection to .* failed/,
): Promise<BrowserContext> {
  const context = await chrome.newContext({ viewport: { width, height }, ...rest });
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

/** Waits until the page's pill shows this state of the connection. */
export const status = (page: Page, name: string): Promise<void> =>
  page.locator(`.pill[data-status="${name}"]`).waitFor();
