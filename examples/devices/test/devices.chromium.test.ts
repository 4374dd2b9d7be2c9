import {
  launchChromium,
  type Look,
  openBrowser as open,
  pictures,
  status,
} from "@holdfast/example-kit/testing/chromium";
import { network } from "@holdfast/example-kit/testing/network";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build, end, runMain } from "./run-main.js";
import { emptyFolder } from "./start-example.js";

const picture = pictures(new URL("../.artifacts/", import.meta.url));
let chrome: Browser;

beforeAll(async () => {
  build();
  chrome = await launchChromium();
});
afterAll(() => chrome.close());

const wide: Look = { width: 1280, height: 860, colorScheme: "dark" };
const phone: Look = {
  width: 390,
  height: 844,
  colorScheme: "light",
  userAgent:
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
};

/** The errors that Chromium itself logs if the server is away or refuses a login. */
const expected = /^WebSocket connection to .* failed|^Failed to load resource: (net::ERR_|.* status of 401)/;

const openBrowser = (look: Look = wide): Promise<BrowserContext> => open(chrome, look, expected);

async function openTab(browser: BrowserContext, port: number): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`http://localhost:${port}/`);
  return page;
}

async function logIn(page: Page, user = "ada"): Promise<Page> {
  await page.locator(`[data-user="${user}"]`).click();
  await page.getByRole("button", { name: "Log in" }).click();
  await status(page, "ready");
  return page;
}

/** Renames the device of a tab, as a user does. */
async function rename(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "Rename this device" }).click();
  await page.getByLabel("Name of this device").fill(name);
  await page.getByRole("button", { name: "Save" }).click();
  await card(page, name).waitFor();
}

const card = (page: Page, name: string) =>
  page.locator(".card", { has: page.getByRole("heading", { name, exact: true }) });
const title = (page: Page, text: string) => page.locator(".player h2").getByText(text, { exact: true }).waitFor();
const note = (page: Page, text: string) => page.locator(".player-note").getByText(text).waitFor();
const play = (page: Page, track: string) => page.getByRole("button", { name: `Play ${track} here` }).click();
const paused = (page: Page) => page.getByRole("button", { name: "Play", exact: true }).waitFor();
const playing = (page: Page) => page.getByRole("button", { name: "Pause", exact: true }).waitFor();
const cards = (page: Page, count: number) =>
  page.waitForFunction((wanted) => document.querySelectorAll(".card").length === wanted, count);
const idOf = (page: Page) => page.evaluate(() => sessionStorage.getItem("device-id"));

test("[DX8] playback on one page pauses the user's other pages, and the playing page shows each confirmation", async () => {
  const { port } = await runMain({ data: await emptyFolder() });
  const browser = await openBrowser();
  const desk = await logIn(await openTab(browser, port));
  await rename(desk, "Desk");
  const kitchen = await openTab(browser, port);
  await status(kitchen, "ready");
  await rename(kitchen, "Kitchen");
  const sofa = await logIn(await openTab(await openBrowser(phone), port));
  await rename(sofa, "Sofa");

  await play(desk, "Harbour Lights");
  await note(desk, "Playing here");
  await desk.locator(".delivery").getByText("2 of 2 confirmed").waitFor();
  await card(sofa, "Desk").getByText("Harbour Lights").waitFor();

  await play(sofa, "Slow Train North");
  await note(desk, "Sofa plays now");
  await paused(desk);
  await sofa.locator(".delivery").getByText("2 of 2 confirmed").waitFor();
  expect(await sofa.locator(".outcomes li").allInnerTexts()).toEqual([
    expect.stringContaining("Desk"),
    expect.stringContaining("Kitchen"),
  ]);
  await card(desk, "Sofa").getByText("Slow Train North").waitFor();
  await picture(desk, "player-wide-dark");
  await picture(sofa, "player-phone-light", { fullPage: true });

  // The three buttons for another device: play here, pause, play there.
  await card(desk, "Sofa").getByRole("button", { name: "Play the track of Sofa" }).click();
  await note(sofa, "Desk plays now");
  await paused(sofa);
  // A page draws in the next frame, possibly after the other pages have received the change.
  await title(desk, "Slow Train North");
  await card(sofa, "Desk").getByRole("button", { name: "Pause Desk" }).click();
  await note(desk, "Paused by Sofa");
  await paused(desk);
  await card(sofa, "Kitchen").getByRole("button", { name: "Play on Kitchen" }).click();
  await note(kitchen, "Started by Sofa");
  await playing(kitchen);
  await card(desk, "Kitchen").getByText("Slow Train North").waitFor();
  await sofa.locator(".delivery").getByText("1 of 1 confirmed").waitFor();
});

test("[DX17] two tabs of one browser are two devices: a reloaded tab keeps its device, and a duplicated tab becomes a new device", async () => {
  const { port } = await runMain({ data: await emptyFolder() });
  const browser = await openBrowser();
  const first = await logIn(await openTab(browser, port));
  const second = await openTab(browser, port);
  await status(second, "ready");
  const ids = [await idOf(first), await idOf(second)];
  expect(new Set(ids).size).toBe(2);
  await cards(first, 2);
  await rename(second, "Second");

  await play(second, "First Light");
  await card(first, "Second").getByText("First Light").waitFor();
  await second.reload();
  await status(second, "ready");
  expect(await idOf(second)).toBe(ids[1]);
  await card(second, "Second").waitFor();
  // The reloaded page resumes the track.
  await playing(second);
  await title(second, "First Light");
  await cards(first, 2);

  // A tab that a page opens begins with a copy of its sessionStorage, as after "Duplicate tab".
  const opening = browser.waitForEvent("page");
  await second.evaluate(() => void window.open(location.href));
  const duplicate = await opening;
  await status(duplicate, "ready");
  expect(ids).not.toContain(await idOf(duplicate));
  await cards(first, 3);
  await status(second, "ready");
});

test("[DX6] four tabs of one browser are listed under four names, and each tab marks itself as this device", async () => {
  const { port } = await runMain({ data: await emptyFolder() });
  const browser = await openBrowser();
  const first = await logIn(await openTab(browser, port));
  const tabs = [first, ...(await Promise.all([2, 3, 4].map(() => openTab(browser, port))))];
  const names = ["Chrome on Linux", "Chrome on Linux 2", "Chrome on Linux 3", "Chrome on Linux 4"];
  const own: string[] = [];
  for (const tab of tabs) {
    await status(tab, "ready");
    await expect.poll(async () => (await tab.locator(".card h3").allInnerTexts()).toSorted()).toEqual(names);
    await tab.locator(".card[data-own]").getByText("This device", { exact: true }).waitFor();
    expect(await tab.getByText("This device", { exact: true }).count()).toBe(1);
    own.push(await tab.locator(".card[data-own] h3").innerText());
  }
  expect(own.toSorted()).toEqual(names);
  await picture(first, "four-tabs-wide-dark");
});

test("[DX11] the page shows when a device connects, disconnects and returns, and shows the name of the device as text and never as HTML", async () => {
  const { port } = await runMain({ data: await emptyFolder() });
  const desk = await logIn(await openTab(await openBrowser(), port));
  await cards(desk, 1);
  const other = await openBrowser();
  const guest = await logIn(await openTab(other, port));
  await cards(desk, 2);
  await rename(guest, "<img src=x onerror=document.title=1>");
  await card(desk, "<img src=x onerror=document.title=1>").getByText("another browser").waitFor();
  expect(await desk.locator("main img").count()).toBe(0);
  expect(await desk.title()).toBe("Devices · Holdfast");

  await guest.close();
  await desk.getByText("Just went offline").waitFor();
  const back = await openTab(other, port);
  await status(back, "ready");
  await desk.locator(".cards").getByText("Online since").nth(1).waitFor();
});

test("[DX13] signing out a device of another browser shows the login and the reason there, even after a reload", async () => {
  const { port } = await runMain({ data: await emptyFolder() });
  const desk = await logIn(await openTab(await openBrowser(), port));
  await rename(desk, "Desk");
  const sofa = await logIn(await openTab(await openBrowser(phone), port));
  await rename(sofa, "Sofa");
  await desk.getByRole("button", { name: "Sign out Sofa" }).click();
  await sofa.getByText("Desk has signed this browser out.").waitFor();
  await picture(sofa, "login-phone-light");
  await cards(desk, 1);
  await sofa.reload();
  await sofa.getByRole("button", { name: "Log in" }).waitFor();
});

test("[DX14] logging out disconnects every tab of the browser, and no tab connects until the next login", async () => {
  const { port } = await runMain({ data: await emptyFolder() });
  const browser = await openBrowser();
  const sockets: string[] = [];
  browser.on("page", (page) => page.on("websocket", (socket) => sockets.push(socket.url())));
  const first = await logIn(await openTab(browser, port));
  const second = await openTab(browser, port);
  await status(second, "ready");
  const watcher = await logIn(await openTab(await openBrowser(), port));
  await cards(watcher, 3);
  expect(sockets).toHaveLength(2);

  await first.getByRole("button", { name: "Log out" }).click();
  await first.getByText("You have logged out.").waitFor();
  await second.getByText("This browser was logged out.").waitFor();
  await cards(watcher, 1);
  // If the client retried, its first retry would come within 5 s.
  await first.waitForTimeout(6_000);
  expect(sockets).toHaveLength(2);

  // The next login connects the tab as the new user.
  await logIn(first, "grace");
  expect(sockets).toHaveLength(3);
  await first.locator(".account").getByText("Grace Hopper").waitFor();
  await cards(first, 1);
  await cards(watcher, 1);
});

test("[DX14] a page that reconnects shows the user who has logged in meanwhile, or the login if the browser was logged out", async () => {
  const { port } = await runMain({ data: await emptyFolder() });
  const between = await network(port);
  const browser = await openBrowser();
  // Both tabs share the cookie, because cookies do not depend on the port.
  const near = await logIn(await openTab(browser, port));
  const away = await openTab(browser, between.port);
  await status(away, "ready");
  between.cut();
  await status(away, "waiting");
  await near.getByRole("button", { name: "Log out" }).click();
  await logIn(near, "grace");
  between.restore();
  await away.locator(".account").getByText("Grace Hopper").waitFor();
  await status(away, "ready");
  await cards(away, 2);
  await cards(near, 2);
  expect(await away.locator(".toast").count()).toBe(0);

  between.cut();
  await status(away, "waiting");
  await near.getByRole("button", { name: "Log out" }).click();
  await near.getByText("You have logged out.").waitFor();
  between.restore();
  await away.getByText("Your login has ended.").waitFor();
});

test("[DX15] a wrong password shows an error, and the right password connects", async () => {
  const { port } = await runMain({ data: await emptyFolder() });
  const page = await openTab(await openBrowser(), port);
  await page.getByLabel("User").fill("ada");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("alert").getByText("Wrong user name or password.").waitFor();
  await picture(page, "login-wide-dark");
  await page.getByLabel("Password").fill("holdfast");
  await page.keyboard.press("Enter");
  await status(page, "ready");
});

test("[DX16] after a crash and restart of the server, both pages reconnect without a login, and the playing page still plays", async () => {
  const data = await emptyFolder();
  const server = await runMain({ data });
  const browser = await openBrowser();
  const desk = await logIn(await openTab(browser, server.port));
  const kitchen = await openTab(browser, server.port);
  await status(kitchen, "ready");
  await rename(kitchen, "Kitchen");
  await play(kitchen, "Paper Planets");
  await card(desk, "Kitchen").getByText("Paper Planets").waitFor();

  await end(server, "SIGKILL");
  for (const page of [desk, kitchen]) await status(page, "waiting");
  await desk.waitForFunction(() => /^\d+ s$/.test(document.querySelector(".countdown")?.textContent ?? ""));
  expect(await desk.getByRole("button", { name: "Try now" }).isEnabled()).toBe(true);
  await desk.getByText("last known state").waitFor();
  await picture(desk, "waiting-wide-dark", { animations: "disabled" });

  await runMain({ data, port: server.port });
  for (const page of [desk, kitchen]) await status(page, "ready");
  await cards(desk, 2);
  // The restarted server knows neither the name nor the track until the page reports both again.
  await card(desk, "Kitchen").getByText("Paper Planets").waitFor();
  await playing(kitchen);
  await paused(desk);
});

test("[DX18] after a network outage, the page resumes the session by itself and pauses if another device plays now", async () => {
  const { port } = await runMain({ data: await emptyFolder() });
  const between = await network(port);
  const sofa = await logIn(await openTab(await openBrowser(phone), between.port));
  await rename(sofa, "Sofa");
  const desk = await logIn(await openTab(await openBrowser({ ...wide, colorScheme: "light" }), port));
  await rename(desk, "Desk");
  await play(sofa, "Tin Roof Rain");
  await card(desk, "Sofa").getByText("Tin Roof Rain").waitFor();
  const since = await card(desk, "Sofa").locator(".presence").innerText();

  between.cut();
  await status(sofa, "waiting");
  await playing(sofa);
  await card(desk, "Sofa").getByText("Just went offline").waitFor();
  await play(desk, "Seven Bridges");
  await desk.locator(".outcomes").getByText("is not connected").waitFor();
  await picture(desk, "player-wide-light");

  between.restore();
  await status(sofa, "ready");
  await note(sofa, "Desk plays now");
  await paused(sofa);
  await card(desk, "Sofa").getByText(since).waitFor();
});

test("[DX12] a user does not see the devices of another user", async () => {
  const { port } = await runMain({ data: await emptyFolder() });
  await logIn(await openTab(await openBrowser(), port));
  const grace = await logIn(await openTab(await openBrowser(), port), "grace");
  await cards(grace, 1);
  await card(grace, "Chrome on Linux").getByText("this device").waitFor();
});
