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
])("[CN22] the address %s is accepted", (url) => {
  expect(() => checkUrl(url)).not.toThrow();
});

test.each<[url: string, cure: RegExp]>([
  ["", /empty/],
  [" ws://localhost/ws", /space/],
  ["ws://local host/ws", /space/],
  ["ws://localhost/ws\n", /line break/],
  ["ws://localhost/ws#top", /fragment/],
  ["ws:\\\\localhost\\ws", /backslash/],
  ["//localhost/ws", /scheme.*wss:/],
  ["localhost:3000/ws", /scheme/],
  ["example.com", /scheme/],
  ["ws", /scheme/],
  ["undefined/ws", /scheme/],
  ["ftp://example.com/ws", /ws.*wss.*http.*https/],
  ["file:///ws", /wss/],
  ["ws:///ws", /host/],
  ["wss://", /host/],
  ["ws://::1:1/ws", /IPv6.*ws:\/\/\[::1\]:3000/],
  ["ws://fe80::1/ws", /IPv6/],
  ["ws://localhost:99999/ws", /99999.*65535/],
  ["ws://[::1]:65536/ws", /65536/],
  ["ws://localhost:0/ws", /port.*\b0\b/],
  ["ws://localhost:undefined", /port.*variable/],
  ["ws://localhost:NaN/ws", /port/],
  ["ws://localhost:-1/ws", /port/],
  ["ws://localhost:80a/ws", /port/],
  ["ws://localhost:/ws", /port/],
  ["ws://undefined:3000/ws", /undefined/],
  ["wss://[object Object]/ws", /placeholder/],
  ["ws://${HOST}/ws", /placeholder/],
  ["ws://localhost:${PORT}/ws", /placeholder/],
  ["ws://{host}:3000/ws", /placeholder/],
  ["ws://$HOST/ws", /placeholder/],
  ["ws://[::1/ws", /address/],
  ["ws://300.300.300.300/ws", /address/],
  ["ws://ex%20ample.com/ws", /address/],
])("[CN22] the address %o throws INVALID_OPTION and the error names the fault", (url, cure) => {
  expect(() => checkUrl(url)).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION", field: "url", message: expect.stringMatching(cure) as unknown }),
  );
});

test("[CN22] the error of a refused address contains neither the query nor the user of the address", () => {
  expect(() => checkUrl("ws://me:secret@localhost:99999/ws?token=secret")).toThrow(/^(?!.*secret)/);
});
