import { HoldfastError } from "@holdfast/client";
import { expect, test } from "vitest";
import { outcome } from "./outcome.js";

const titleOf = (error: unknown): string | undefined => outcome(error)?.title;

test.each(["CONNECTION_LOST", "TIMEOUT"] as const)(
  "[SX24] after %s, the message says that the result is unknown, and how to continue",
  (code) => {
    const toast = outcome(new HoldfastError(code, "session.pause: no answer."));
    expect(toast).toMatchObject({ level: "warning", title: "The result is unknown" });
    expect(toast?.text).toMatch(/check the session and try again/i);
  },
);

test("[SX24] outcome returns nothing if the request was not sent or its goal is already reached, and otherwise the reason", () => {
  expect(titleOf(new HoldfastError("NOT_CONNECTED", "The client is closed."))).toBeUndefined();
  expect(titleOf(HoldfastError.fromWire({ code: "CYCLE_OVER", message: "Another user was faster." }))).toBeUndefined();
  expect(titleOf(HoldfastError.fromWire({ code: "SESSION_EXISTS", message: "There is a session." }))).toBeUndefined();
  expect(
    outcome(HoldfastError.fromWire({ code: "WRONG_PHASE", message: "The session has not been started." })),
  ).toEqual({
    level: "error",
    title: "The action failed",
    text: "The session has not been started.",
  });
  expect(titleOf(new Error("a fault"))).toBe("The action failed");
});
