import { expect, test } from "vitest";
import { isSessionId, newSessionId, sessionIdOf } from "./session-id.js";

test("[SX15] newSessionId returns an id of random bits that the protocol accepts", () => {
  for (const byte of [0x00, 0x5a, 0xff]) {
    const id = newSessionId(new Uint8Array(16).fill(byte));
    expect(isSessionId(id), id).toBe(true);
    expect(id).toMatch(/^.{14}4.{4}[89ab]/);
  }
});

test("[SX15] sessionIdOf returns the session id of an address, or undefined", () => {
  expect(sessionIdOf(new URL("http://localhost/?sessionId=abc&x=1"))).toBe("abc");
  expect(sessionIdOf(new URL("http://localhost/"))).toBeUndefined();
});

test("[SX15] isSessionId recognises an invalid id without a connection", () => {
  expect(["", "abc", "7c1f4f0e-5c0b-4a59-9d6e-2f1a3b4c5d6e0"].map(isSessionId)).toEqual([false, false, false]);
});
