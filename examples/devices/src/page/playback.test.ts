import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Overview, Playing } from "../protocol.js";
import type { DevicesClient } from "./model.js";
import { Playback } from "./playback.js";

// The page stores the device name in sessionStorage, which Node does not have.
beforeEach(() => {
  vi.stubGlobal("sessionStorage", { setItem: vi.fn() });
  onTestFinished(() => void vi.unstubAllGlobals());
});

/** The playback of a page, with a client whose requests the test answers. */
function make({ isNameDefault = false } = {}) {
  const asked: { name: string; input: unknown; answer: (report?: unknown[]) => void; fail: (why: Error) => void }[] =
    [];
  const request = (name: string, input: unknown) =>
    new Promise((resolve, reject) => {
      asked.push({ name, input, answer: (report = []) => resolve({ report }), fail: reject });
    });
  const faults: unknown[] = [];
  const playback = new Playback({
    client: { request: request as DevicesClient["request"] },
    device: { id: "a", kind: "computer", name: "Desk", isNameDefault },
    changed: () => {},
    report: (error) => void faults.push(error),
  });
  const hear = (playing?: Playing, name = "Desk") => {
    const facts = {
      kind: "computer",
      browser: "b",
      online: true,
      connectedAt: new Date(),
      lastActiveAt: new Date(),
    } as const;
    const devices = [
      { id: "a", name, ...facts },
      { id: "b", name: "Sofa", ...facts },
    ];
    playback.model.overview = { revision: 1, devices, ...(playing && { playing }) } satisfies Overview;
    playback.agree();
  };
  return { playback, model: playback.model, asked, faults, hear };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));
const onSofa: Playing = { deviceId: "b", trackId: "first-light", positionMs: 0 };
const by = { deviceId: "b", name: "Sofa" };

test("[DX8] play sends playback.play at once, and the answer shows the result on each other device", async () => {
  const { playback, model, asked, hear } = make();
  hear();
  playback.play("first-light", 3_000);
  expect(model.player.state).toMatchObject({ playing: true, track: { id: "first-light" } });
  expect(asked).toMatchObject([{ name: "playback.play", input: { trackId: "first-light", positionMs: 3_000 } }]);
  expect(model.delivery).toEqual({ title: "Pausing the others" });
  asked[0]?.answer([{ deviceId: "b", name: "Sofa", result: "confirmed" }]);
  await settled();
  expect(model.delivery?.report).toMatchObject([{ name: "Sofa", result: "confirmed" }]);
});

test("[DX9] obey pauses on playback.paused, and on playback.started plays and claims playback", () => {
  const { playback, model, asked } = make();
  playback.obey({ event: "playback.started", data: { by, trackId: "paper-planets", positionMs: 9_000 } });
  expect(model.player.state).toMatchObject({ playing: true, track: { id: "paper-planets" } });
  expect([asked[0]?.name, model.note]).toEqual(["playback.play", "Started by Sofa"]);
  playback.obey({ event: "playback.paused", data: { by, reason: "elsewhere" } });
  expect([model.player.state.playing, model.note]).toEqual([false, "Sofa plays now"]);
  playback.obey({ event: "playback.paused", data: { by, reason: "asked" } });
  expect([model.player.state.playing, model.note]).toEqual([false, "Paused by Sofa"]);
});

test("[DX10] a list that arrives during a claim is applied only after the claim is answered", async () => {
  const { playback, model, asked, hear } = make();
  playback.play();
  hear(onSofa);
  expect(model.player.state.playing).toBe(true);
  asked[0]?.answer();
  await settled();
  expect([model.player.state.playing, model.note]).toEqual([false, "Sofa plays now"]);
});

test("[DX10] a failed claim is reported once and retried with the next list", async () => {
  const { playback, model, asked, faults, hear } = make();
  hear();
  playback.play();
  asked[0]?.fail(new Error("no connection"));
  await settled();
  expect([asked.length, faults.length, model.player.state.playing]).toEqual([1, 1, true]);
  hear();
  expect(asked.map(({ name }) => name)).toEqual(["playback.play", "playback.play"]);
});

test("[DX10] if the list says that this device plays, a freshly loaded page resumes, and a page that has been paused reports the pause", () => {
  const loaded = make();
  loaded.hear({ deviceId: "a", trackId: "first-light", positionMs: 40_000 });
  expect(loaded.model.player.state).toMatchObject({ playing: true, track: { id: "first-light" } });
  expect(loaded.model.player.positionMs).toBeGreaterThanOrEqual(40_000);

  const longThere = make();
  longThere.hear();
  longThere.hear({ deviceId: "a", trackId: "first-light", positionMs: 0 });
  expect(longThere.model.player.state.playing).toBe(false);
  expect(longThere.asked.map(({ name }) => name)).toEqual(["playback.pause"]);
});

test("[DX11] if the server lists an older name of this device, the page renames the device once", () => {
  const { asked, hear } = make();
  hear(undefined, "Chrome on Linux");
  expect(asked).toMatchObject([{ name: "device.rename", input: { name: "Desk" } }]);
  hear(undefined, "Desk");
  expect(asked).toHaveLength(1);
});

test("[DX6] the first list numbers a default name that an earlier device has, and later lists leave the name alone", () => {
  const { playback, model, asked } = make({ isNameDefault: true });
  const facts = {
    kind: "computer",
    browser: "b",
    online: true,
    connectedAt: new Date(),
    lastActiveAt: new Date(),
  } as const;
  const list = (...names: [id: string, name: string][]): void => {
    model.overview = { revision: 1, devices: names.map(([id, name]) => ({ id, name, ...facts })) };
    playback.agree();
  };
  list(["b", "Desk"], ["a", "Desk"]);
  expect(asked).toMatchObject([{ name: "device.rename", input: { name: "Desk 2" } }]);
  list(["b", "Desk 2"], ["a", "Desk 2"]);
  expect(asked).toHaveLength(1);
});
