import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import { launchChromium } from "@holdfast/example-kit/testing/chromium";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Opens a page that creates a client for this address and shows each status. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { createClient } from "../src/index.js";
        import { agents } from "./support/agents.js";
        const client = createClient(agents, { url: new URLSearchParams(location.search).get("to"), retry: { minMs: 50, maxMs: 100 } });
        globalThis.statuses = [];
        client.status.subscribe((status) => globalThis.statuses.push([status.name, status.reason?.message]));
        globalThis.asked = client.request("agents.list").then(() => undefined, ({ code, message }) => ({ code, message }));
      `,
      resolveDir: here("."),
      loader: "ts",
    },
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
  });
  return outputFiles[0]!.text;
}

async function openPage(policy: string, to: string, header = "Content-Security-Policy") {
  const script = await bundle();
  const http = createServer((request, response) => {
    const isScript = request.url === "/app.js";
    response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
    response.setHeader(header, policy);
    response.end(
      isScript ? script : '<!doctype html><title>policy</title><script type="module" src="/app.js"></script>',
    );
  });
  await new Promise<void>((resolve) => http.listen(0, "localhost", resolve));
  const browser = await launchChromium();
  onTestFinished(async () => {
    await browser.close();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  const { port } = http.address() as AddressInfo;
  const page = await browser.newPage();
  await page.goto(`http://localhost:${port}/?to=${encodeURIComponent(to)}`);
  return page;
}

interface Seen {
  readonly statuses: [name: string, message?: string][];
  readonly asked: Promise<{ code: string; message: string } | undefined>;
}

test("[CN24] if the page's Content-Security-Policy blocks the socket, the client is closed at once with the reason", async () => {
  const page = await openPage("connect-src 'self'", "ws://blocked.example:9/ws?token=secret");
  const answer = await page.evaluate(() => (globalThis as unknown as Seen).asked);
  const message = expect.stringMatching(/ws:\/\/blocked\.example:9\/ws\b.*connect-src/) as unknown;
  expect(answer).toEqual({ code: "NOT_CONNECTED", message });
  expect(answer?.message).not.toContain("secret");
  // The client stays closed.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const statuses = await page.evaluate(() => (globalThis as unknown as Seen).statuses);
  expect(statuses.at(-1)).toEqual(["closed", message]);
  expect(statuses.filter(([name]) => name === "waiting").length).toBeLessThanOrEqual(1);
});

test.each(["ws://Blocked.example", "WS://blocked.example:80?token=secret"])(
  "[CN24] %s is recognised, although the browser reports another spelling of the address",
  async (to) => {
    const page = await openPage("connect-src 'self'", to);
    const answer = await page.evaluate(() => (globalThis as unknown as Seen).asked);
    expect(answer).toMatchObject({
      code: "NOT_CONNECTED",
      message: expect.stringMatching(/ws:\/\/blocked\.example\/.*connect-src/),
    });
  },
);

test("[CN24] a report-only policy does not affect the client", async () => {
  const page = await openPage("connect-src 'self'", "ws://localhost:9/ws", "Content-Security-Policy-Report-Only");
  await expect
    .poll(() =>
      page.evaluate(() => (globalThis as unknown as Seen).statuses.filter(([name]) => name === "waiting").length),
    )
    .toBeGreaterThan(1);
});

test("[CN24] a policy violation by other code does not affect the client", async () => {
  const page = await openPage("connect-src 'self' ws://localhost:9", "ws://localhost:9/ws");
  await page.evaluate(() => fetch("http://blocked.example:9/").catch(() => undefined));
  await expect
    .poll(() =>
      page.evaluate(() => (globalThis as unknown as Seen).statuses.filter(([name]) => name === "waiting").length),
    )
    .toBeGreaterThan(1);
});
