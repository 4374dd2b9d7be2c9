import { defineProtocol } from "@holdfast/protocol";
import { afterEach, describe, expect, test, vi } from "vitest";
import { agents } from "../test/support/agents.js";
import { settingsOf, urlOf } from "./settings.js";

afterEach(() => void vi.unstubAllGlobals());

describe("urlOf", () => {
  test.each([
    ["ws://localhost:3000/ws", {}, "ws://localhost:3000/ws"],
    ["https://example.com/ws", {}, "wss://example.com/ws"],
    ["HTTP://example.com/ws", {}, "ws://example.com/ws"],
    ["wss://example.com/ws?v=1", { a: "1" }, "wss://example.com/ws?v=1&a=1"],
    [
      "wss://example.com",
      { "a b": "ü&=", n: 3, yes: true, none: undefined, nil: null },
      "wss://example.com?a%20b=%C3%BC%26%3D&n=3&yes=true",
    ],
  ])("[CN12] urlOf %s with the parameters %j returns %s", (url, parameters, expected) => {
    expect(urlOf(url, parameters)).toBe(expected);
  });

  test("a path is resolved against the page's origin", () => {
    vi.stubGlobal("location", { origin: "https://example.com" });
    expect(urlOf("/ws", {})).toBe("wss://example.com/ws");
  });

  test.each(["/ws", "example.com", "ftp://example.com", "", "ws://a b", "ws://a#b", "//example.com/ws", undefined])(
    "[CN13] the address %j, which cannot work, throws INVALID_OPTION",
    (url) => {
      expect(() => urlOf(url as string, {})).toThrow(expect.objectContaining({ code: "INVALID_OPTION", field: "url" }));
    },
  );
});

describe("settingsOf", () => {
  test.each(["", "x".repeat(129), 7, null, "a\ud800"])("[CN20] the deviceId %j throws INVALID_OPTION", (deviceId) => {
    expect(() => settingsOf({ url: "ws://a", deviceId: deviceId as never }, agents)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", field: "deviceId" }),
    );
    expect(settingsOf({ url: "ws://a", deviceId: "ü\n" }, agents)).toBeDefined();
  });

  test("[CN20] deviceId may be omitted unless the protocol requires it", () => {
    const required = defineProtocol({ name: "kitchens", version: "1.0.0", deviceId: "required" });
    expect(settingsOf({ url: "ws://a" }, agents)).toBeDefined();
    expect(settingsOf({ url: "ws://a", deviceId: "kitchen" }, required)).toBeDefined();
    expect(() => settingsOf({ url: "ws://a" }, required)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", field: "deviceId" }),
    );
  });

  test.each([
    [{ url: "ws://a", tokn: "t" }, "tokn"],
    [{ url: "ws://a", timeoutMs: 5 }, "timeoutMs"],
    [{ url: "ws://a", token: 5 }, "token"],
    [{ url: "ws://a", positions: { getItem() {}, setItem() {} } }, "positions"],
    [{}, "url"],
    [undefined, "url"],
    [{ url: new URL("ws://a") }, "url"],
  ])("[CN13] the options %j throw INVALID_OPTION with the option's name in `field`", (options, field) => {
    expect(() => settingsOf(options as never, agents)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", field }),
    );
  });

  test("the default times equal the documented defaults", () => {
    expect(settingsOf({ url: "" }, agents)).toEqual({
      connectTimeoutMs: 10_000,
      requestTimeoutMs: 30_000,
      retry: { minMs: 1_000, maxMs: 30_000 },
    });
  });

  test.each([
    ["connectTimeoutMs", { connectTimeoutMs: 0 }],
    ["requestTimeoutMs", { requestTimeoutMs: Number.NaN }],
    ["retry.minMs", { retry: { minMs: -1 } }],
    ["retry.maxMs", { retry: { maxMs: 0 } }],
    ["retry.minMs", { retry: { minMs: 500, maxMs: 100 } }],
  ])("[CN13] a wrong %s throws INVALID_OPTION with its name in `field`", (field, options) => {
    expect(() => settingsOf({ url: "", ...options }, agents)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", field }),
    );
  });
});
