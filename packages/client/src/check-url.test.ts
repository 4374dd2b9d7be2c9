import { expect, test } from "vitest";
import { checkUrl } from "./check-url.js";

test.each([
  "ws://localhost:3000/ws",
  "wss://example.com/ws?a=b%20c",
  "https://example.com/ws",
  "http://[::1]:3000/ws",
  "WSS://Example.com",
  "wss://me:p@ss@example.com/ws",
  "ws://127.0.0.1:65535/",
  "ws://example.com?to=a:b:c",
  "ws://example.com/a:b:c",
  "ws://example.com/{room}?at=${time}",
  "/ws",
  "/",
])("[CN22] %s is an address", (url) => {
  expect(() => checkUrl(url)).not.toThrow();
});

test.each<[url: string, cure: RegExp]>([
  ["", /is empty; expected an address like/],
  [" ws://localhost/ws", /has a space/],
  ["ws://local host/ws", /has a space/],
  ["ws://localhost/ws\n", /line break/],
  ["ws://localhost/ws#top", /fragment .* remove it/],
  ["ws:\\\\localhost\\ws", /backslash/],
  ["//localhost/ws", /has no scheme; write wss:/],
  ["localhost:3000/ws", /has no scheme/],
  ["example.com", /has no scheme/],
  ["ws", /has no scheme/],
  ["undefined/ws", /has no scheme/],
  ["ftp://example.com/ws", /none of ws, wss, http and https/],
  ["file:///ws", /none of ws/],
  ["ws:///ws", /has no host/],
  ["wss://", /has no host/],
  ["ws://::1:1/ws", /IPv6 address without brackets; write ws:\/\/\[::1\]:3000/],
  ["ws://fe80::1/ws", /IPv6 address without brackets/],
  ["ws://localhost:99999/ws", /port 99999; ports are 1 to 65535/],
  ["ws://[::1]:65536/ws", /port 65536/],
  ["ws://localhost:0/ws", /port 0/],
  ["ws://localhost:undefined", /port that is no number; check that the variable/],
  ["ws://localhost:NaN/ws", /port that is no number/],
  ["ws://localhost:-1/ws", /port that is no number/],
  ["ws://localhost:80a/ws", /port that is no number/],
  ["ws://localhost:/ws", /port that is no number/],
  ["ws://undefined:3000/ws", /variable that is undefined/],
  ["wss://[object Object]/ws", /has a placeholder/],
  ["ws://${HOST}/ws", /has a placeholder/],
  ["ws://localhost:${PORT}/ws", /has a placeholder/],
  ["ws://{host}:3000/ws", /has a placeholder/],
  ["ws://$HOST/ws", /has a placeholder/],
  ["ws://[::1/ws", /is no address/],
  ["ws://300.300.300.300/ws", /is no address/],
  ["ws://ex%20ample.com/ws", /is no address/],
])("[CN22] %o is refused, with the cure", (url, cure) => {
  expect(() => checkUrl(url)).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION", field: "url", message: expect.stringMatching(cure) as unknown }),
  );
});

test("[CN22] Neither the query nor the user of a refused address is repeated", () => {
  expect(() => checkUrl("ws://me:secret@localhost:99999/ws?token=secret")).toThrow(/^(?!.*secret)/);
});
