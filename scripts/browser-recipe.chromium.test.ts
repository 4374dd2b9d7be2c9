import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createProbe, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { createServer as createVite, type UserConfig, type ViteDevServer } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import type * as ChatServer from "../docs/snippets/chat-server.js";

const root = new URL("..", import.meta.url);
const folder = new URL(`.artifacts/browser-${process.pid}/`, root);
const read = (path: string): Promise<string> => readFile(new URL(path, root), "utf8");
const flags = "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync";

let browser: Browser;
let recipe: typeof ChatServer;
let vite: ViteDevServer;
let port: number;

async function freePort(): Promise<number> {
  const probe = createProbe();
  await new Promise<void>((resolve) => probe.listen(0, resolve));
  const free = (probe.address() as AddressInfo).port;
  await new Promise((resolve) => probe.close(resolve));
  return free;
}

const load = <Module>(name: string): Promise<Module> => import(fileURLToPath(new URL(name, folder))) as Promise<Module>;

/** Runs the files of the guide unchanged except for the port of the server. */
beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  port = await freePort();
  for (const name of ["chat-protocol.ts", "chat-server.ts", "chat-page.ts", "chat-vite.config.ts", "chat-page.html"]) {
    const text = (await read(`docs/snippets/${name}`)).replaceAll("3000", String(port));
    await writeFile(new URL(name === "chat-page.html" ? "index.html" : name, folder), text);
  }
  recipe = await load<typeof ChatServer>("chat-server.ts");
  const { default: config } = await load<{ default: UserConfig }>("chat-vite.config.ts");
  vite = await createVite({
    ...config,
    root: fileURLToPath(folder),
    configFile: false,
    logLevel: "error",
    cacheDir: fileURLToPath(new URL(".vite", folder)),
    server: { ...config.server, port: 0, host: "127.0.0.1", fs: { strict: false } },
  });
  await vite.listen();
  browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: flags.split(" "),
  });
});
afterAll(async () => {
  await browser.close();
  await vite.close();
  await recipe.server.close();
  recipe.http.close();
  await rm(folder, { recursive: true, force: true });
});

test.each([
  ["chat-protocol.ts", "// chat-protocol.ts"],
  ["chat-server.ts", "// chat-server.ts"],
  ["chat-page.ts", "// chat-page.ts"],
  ["chat-vite.config.ts", "// vite.config.ts"],
  ["chat-page.html", "<!-- index.html -->"],
])("[RE13] the guide to browsers contains %s unchanged", async (name, title) => {
  const language = name.endsWith("html") ? "html" : "ts";
  const block = `\`\`\`${language}\n${title}\n${await read(`docs/snippets/${name}`)}\`\`\``;
  expect(await read("docs/guides/browser.md")).toContain(block);
});

test("[RE13] the guide to browsers and the README name the same size of a page", async () => {
  const size = /A page downloads (\d+) kB gzipped/.exec(await read("README.md"))![1]!;
  expect(await read("docs/guides/browser.md")).toContain(`a page downloads ${size} kB gzipped`);
});

test("[RE13] a page of Vite connects by a path, and two pages show each message once, even after the server was away", async () => {
  const { port: vitePort } = vite.httpServer!.address() as AddressInfo;
  const open = async () => {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${vitePort}/`);
    await page.locator("#status", { hasText: "Connected" }).waitFor();
    return page;
  };
  const [first, second] = [await open(), await open()];
  const send = async (text: string) => {
    await first.fill("#text", text);
    await first.click("button");
  };
  await send("hello");
  for (const page of [first, second]) await page.locator("li", { hasText: "hello" }).waitFor();

  await send("");
  await first.locator("#error", { hasText: "input.text" }).waitFor();

  // The server ends every connection with a code that lets the client retry.
  for (const { id } of recipe.server.sessions())
    await recipe.server.session(id).disconnect({ code: 4800, reason: "test" });
  await send("while you were away");
  for (const page of [first, second]) {
    await page.locator("li", { hasText: "while you were away" }).waitFor();
    expect(await page.locator("li").count()).toBe(2);
  }
});
