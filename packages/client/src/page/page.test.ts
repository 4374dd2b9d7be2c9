import { describe, expect, test, vi } from "vitest";
import { host } from "../host.js";
import { checkOptions, checkTimes } from "./check-options.js";
import { chooseWebSocket, construct } from "./raw-socket.js";

describe("What stands in for the choice of a socket in a page's production build", () => {
  test("[CN21] It takes the class that is given, else the page's own of the moment", () => {
    const Given = vi.fn();
    const Own = vi.fn();
    vi.stubGlobal("WebSocket", Own);
    expect(host.WebSocket).toBe(Own);
    expect(chooseWebSocket(Given, vi.fn())).toBe(Given);
    expect(chooseWebSocket(undefined, vi.fn())).toBe(Own);
    vi.unstubAllGlobals();
  });

  test("[CN21] It gives a class no more arguments than the platform's own takes", () => {
    const seen: unknown[][] = [];
    class Own {
      constructor(...args: unknown[]) {
        seen.push(args);
      }
      terminate(): void {}
      addEventListener(): void {}
    }
    construct(Own, "wss://example.com/ws", ["holdfast.v1.json"]);
    expect(seen).toEqual([["wss://example.com/ws", ["holdfast.v1.json"]]]);
  });
});

test("[CN13] In a page's production build nothing is said of the options", () => {
  expect([checkOptions(), checkTimes()]).toEqual([undefined, undefined]);
});
