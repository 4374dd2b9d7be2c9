import { once } from "node:events";
import { isDeclaredError, isHoldfastError } from "@holdfast/client";
import { expect, test, vi } from "vitest";
import { devices, type Overview } from "../src/protocol.js";
import { type Browser, loggedIn, soon } from "./browser.js";
import { emptyFolder, start } from "./start-example.js";

const query = "?deviceName=Script&deviceKind=computer";
const own = ["holdfast.v1.json", "holdfast.v1.auth"];

/** The HTTP status of a refused upgrade. */
async function refusal(socket: ReturnType<Browser["socket"]>): Promise<number> {
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode: number }];
  return response.statusCode;
}

test("[DX5] the cookie of a login opens the WebSocket, with the user of the login and the device id of the tab", async () => {
  const browser = await loggedIn((await start()).port);
  const tab = await browser.tab("laptop").ready();
  expect(tab.client.status.get()).toMatchObject({ name: "ready", userId: "ada", deviceId: "laptop" });
  expect(tab.names).toEqual(["laptop"]);
});

test("[DX5] an upgrade without a valid cookie is answered with 401, and an upgrade from another origin with 403", async () => {
  const { port } = await start();
  const browser = await loggedIn(port);
  const elsewhere = browser.socket(query, own, { origin: "https://elsewhere.example" });
  expect(await refusal(elsewhere)).toBe(403);
  const { cookie } = browser;
  await browser.post("/logout");
  for (const wrong of [undefined, cookie, `${cookie}x`]) {
    browser.cookie = wrong;
    expect(await refusal(browser.socket(query))).toBe(401);
    expect(await refusal(browser.socket(query, ["holdfast.v1.json"]))).toBe(401);
  }
});

test("[DX5] a page without a valid cookie is closed with 4401 and does not retry", async () => {
  const { port } = await start();
  const browser = await loggedIn(port);
  const { cookie } = browser;
  await browser.post("/logout");
  for (const wrong of [undefined, cookie]) {
    browser.cookie = wrong;
    const tab = browser.tab("laptop");
    expect(await tab.becomes("unauthorized")).toMatchObject({ reason: { code: 4401 } });
    expect(tab.statuses.map(({ name }) => name)).not.toContain("waiting");
  }
});

test("[DX5] a connection without a device name is closed with 1008, and a connection without a device id is refused with 400", async () => {
  const browser = await loggedIn((await start()).port);
  const [code, reason] = (await once(browser.socket("?deviceName=%20&deviceKind=computer", own), "close")) as [
    number,
    Buffer,
  ];
  expect([code, reason.toString()]).toEqual([1008, expect.stringContaining("deviceName")]);
  expect(await refusal(browser.socket(query, ["holdfast.v1.json"]))).toBe(400);
});

test("[DX6] a newer connection of a device closes the older connection with 4409, and the device plays on", async () => {
  const { port } = await start();
  const browser = await loggedIn(port);
  const watcher = await browser.tab("watcher").ready();
  const first = await browser.tab("laptop").ready();
  await first.client.request("playback.play", { trackId: "paper-planets", positionMs: 0 });
  await watcher.sees("laptop", "watcher");
  const lists: Overview[] = [];
  watcher.client.channel("devices", "ada").on("changed", (overview) => void lists.push(overview));

  const second = await browser.tab("laptop").ready();
  expect(await first.becomes("closed")).toMatchObject({ reason: { name: "REPLACED", code: 4409 } });
  await second.sees("laptop", "watcher");
  expect(second.client.status.get().name).toBe("ready");
  await vi.waitFor(() => expect(lists).not.toEqual([]), soon);
  // Every list contained the device, and playback never stopped.
  for (const { devices: listed, playing } of lists) {
    expect([listed.length, playing?.deviceId]).toEqual([2, "laptop"]);
  }
});

test("[DX8] playback.play pauses the user's other devices and no device of another user, and each paused device confirms", async () => {
  const { port } = await start();
  const browser = await loggedIn(port);
  const laptop = await browser.tab("laptop").ready();
  const desk = await browser.tab("desk").ready();
  const phone = await (await loggedIn(port)).tab("phone").ready();
  const stranger = await (await loggedIn(port, "grace")).tab("phone").ready("grace");

  const { report } = await laptop.client.request("playback.play", { trackId: "paper-planets", positionMs: 1_000 });
  expect(report).toEqual([
    { deviceId: "desk", name: "desk", result: "confirmed" },
    { deviceId: "phone", name: "phone", result: "confirmed" },
  ]);
  const paused = {
    event: "playback.paused",
    data: { by: { deviceId: "laptop", name: "laptop" }, reason: "elsewhere" },
  };
  expect([laptop, desk, phone, stranger].map(({ heard }) => heard)).toEqual([[], [paused], [paused], []]);
  for (const { overview } of [laptop, desk, phone]) {
    expect(overview?.playing).toMatchObject({ deviceId: "laptop", trackId: "paper-planets" });
  }
  expect(stranger.overview?.playing).toBeUndefined();
});

test("[DX8] the report of playback.play contains the reason for each device that did not pause", async () => {
  const { port } = await start({ ackTimeoutMs: 150 });
  const browser = await loggedIn(port);
  const laptop = await browser.tab("laptop").ready();
  const slow = await browser.tab("slow").ready();
  slow.client.direct.on("playback.paused", () => new Promise(() => {}));
  const broken = await browser.tab("broken").ready();
  broken.client.direct.on("playback.paused", () => {
    throw new Error("no audio device");
  });
  const gone = await browser.tab("gone").ready();
  gone.client.disconnect();
  await laptop.sees("laptop", "slow", "broken", "(gone)");

  const { report } = await laptop.client.request("playback.play", { trackId: "paper-planets", positionMs: 0 });
  expect(Object.fromEntries(report.map(({ deviceId, result }) => [deviceId, result]))).toEqual({
    slow: "timeout",
    broken: "handler_failed",
    gone: "not_connected",
  });
});

test("[DX9] playback.pauseOn and playback.playOn control exactly one other device", async () => {
  const { port } = await start();
  const browser = await loggedIn(port);
  const laptop = await browser.tab("laptop").ready();
  const desk = await browser.tab("desk").ready();
  const phone = await browser.tab("phone").ready();

  const started = { deviceId: "desk", trackId: "first-light", positionMs: 5_000 };
  expect(await laptop.client.request("playback.playOn", started)).toMatchObject({ report: [{ result: "confirmed" }] });
  const by = { deviceId: "laptop", name: "laptop" };
  expect(desk.heard).toEqual([{ event: "playback.started", data: { by, trackId: "first-light", positionMs: 5_000 } }]);

  await desk.client.request("playback.play", { trackId: "first-light", positionMs: 5_000 });
  await laptop.client.request("playback.pauseOn", { deviceId: "desk" });
  expect(desk.heard.at(-1)).toEqual({ event: "playback.paused", data: { by, reason: "asked" } });
  await vi.waitFor(() => expect(phone.overview).toBeDefined(), soon);
  await vi.waitFor(() => expect(phone.overview?.playing).toBeUndefined(), soon);
  expect(phone.heard).toMatchObject([{ event: "playback.paused", data: { reason: "elsewhere" } }]);
});

test("[DX9] an unknown device or track, or a device of another user, is refused with a declared error", async () => {
  const { port } = await start();
  const laptop = await (await loggedIn(port)).tab("laptop").ready();
  const stranger = await (await loggedIn(port, "grace")).tab("tablet").ready("grace");
  for (const deviceId of ["nowhere", "tablet", "constructor"]) {
    const asked = [
      ["playback.pauseOn", { deviceId }],
      ["device.signOut", { deviceId }],
      ["playback.playOn", { deviceId, trackId: "first-light", positionMs: 0 }],
    ] as const;
    for (const [name, input] of asked) {
      const error: unknown = await laptop.client.request(name, input as never).catch((reason: unknown) => reason);
      expect(isDeclaredError(devices, name, error) && [error.code, error.data], name).toEqual([
        "UNKNOWN_DEVICE",
        { deviceId },
      ]);
    }
  }
  const track = { trackId: "__proto__", positionMs: 0 };
  const error: unknown = await laptop.client.request("playback.play", track).catch((reason: unknown) => reason);
  expect(isDeclaredError(devices, "playback.play", error) && error.data).toEqual({ trackId: "__proto__" });
  const wrong: unknown = await laptop.client
    .request("playback.play", { trackId: "first-light", positionMs: -1 })
    .catch((reason: unknown) => reason);
  expect(isHoldfastError(wrong) && wrong.field).toContain("positionMs");
  expect(stranger.heard).toEqual([]);
});

test("[DX11] the list shows when a device connects, goes offline, returns, ends or is renamed", async () => {
  const { port } = await start({ sessionResumeMs: 400 });
  const browser = await loggedIn(port);
  const laptop = await browser.tab("laptop").ready();
  const phone = await (await loggedIn(port)).tab("phone").ready();
  await laptop.sees("laptop", "phone");
  const browsers = laptop.overview?.devices.map((device) => device.browser);
  expect(new Set(browsers).size).toBe(2);

  await phone.client.request("device.rename", { name: "  Kitchen <b>radio</b> " });
  await laptop.sees("laptop", "Kitchen <b>radio</b>");
  await phone.client.request("playback.play", { trackId: "paper-planets", positionMs: 0 });
  phone.client.disconnect();
  await laptop.sees("laptop", "(Kitchen <b>radio</b>)");
  expect(laptop.overview?.playing?.deviceId).toBe("phone");
  phone.client.connect();
  await laptop.sees("laptop", "Kitchen <b>radio</b>");
  expect(phone.client.status.get()).toMatchObject({ name: "ready", resumed: true });
  phone.client.disconnect();
  await laptop.sees("laptop");
  expect(laptop.overview?.playing).toBeUndefined();
});

test("[DX12] joining another user's list is refused with FORBIDDEN", async () => {
  const laptop = await (await loggedIn((await start()).port)).tab("laptop").ready();
  await expect(laptop.client.channel("devices", "grace").join()).rejects.toMatchObject({ code: "FORBIDDEN" });
});

test("[DX13] device.signOut ends the login of a browser: all tabs of that browser must log in again, and other browsers stay logged in", async () => {
  const { port } = await start();
  const laptop = await (await loggedIn(port)).tab("laptop").ready();
  const phone = await loggedIn(port);
  const tabs = [await phone.tab("one").ready(), await phone.tab("two").ready()];
  expect(await laptop.client.request("device.signOut", { deviceId: "one" })).toEqual({ ended: 2 });
  for (const tab of tabs) {
    await tab.becomes("unauthorized");
    expect(tab.heard).toMatchObject([{ event: "device.signedOut", data: { by: { name: "laptop" } } }]);
  }
  await laptop.sees("laptop");
  expect(await phone.user()).toBeNull();
  await phone.tab("three").becomes("unauthorized");
});

test("[DX14] a logout closes every tab of the browser with 4403, no tab reconnects, and other browsers stay connected", async () => {
  const { port } = await start();
  const browser = await loggedIn(port);
  const tabs = [await browser.tab("one").ready(), await browser.tab("two").ready()];
  const other = await (await loggedIn(port)).tab("other").ready();
  await browser.post("/logout");
  for (const tab of tabs) {
    expect(await tab.becomes("closed")).toMatchObject({ reason: { name: "FORBIDDEN", code: 4403 } });
  }
  await other.sees("other");
  // If the tabs retried, they would do so within 100 ms.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(tabs.map(({ statuses }) => statuses.at(-1)?.name)).toEqual(["closed", "closed"]);
  expect(other.names).toEqual(["other"]);
});

test("[DX14] if the login ends between the upgrade and the first message, the connection is closed with 4401", async () => {
  const { port } = await start();
  const browser = await loggedIn(port);
  const watcher = await (await loggedIn(port)).tab("watcher").ready();
  const socket = browser.socket(query, own);
  await once(socket, "open");
  await browser.post("/logout");
  socket.send(JSON.stringify({ type: "auth", data: { device_id: "late" } }));
  const [code] = (await once(socket, "close")) as [number];
  expect(code).toBe(4401);
  await watcher.sees("watcher");
});

test("[DX15] after a login, the same tabs connect as the new user", async () => {
  const browser = await loggedIn((await start()).port);
  const tab = await browser.tab("one").ready();
  await browser.post("/logout");
  await tab.becomes("closed");
  await browser.logIn("ada");
  tab.client.connect();
  expect(await tab.becomes("ready")).toMatchObject({ userId: "ada" });
  // A second login in the same browser ends the first login.
  await browser.logIn("grace");
  await tab.becomes("closed");
  tab.client.connect();
  expect(await tab.becomes("ready")).toMatchObject({ userId: "grace" });
});

test("[DX16] after a restart with the same data folder, all tabs reconnect without a login", async () => {
  const dataFolder = await emptyFolder();
  const first = await start({ dataFolder });
  const browser = await loggedIn(first.port);
  const tabs = [await browser.tab("one").ready(), await browser.tab("two").ready()];
  await first.close();
  await start({ dataFolder, port: first.port });
  for (const tab of tabs) {
    await tab.becomes("ready");
    await tab.sees("one", "two");
  }
});
