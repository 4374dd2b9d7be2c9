import { HoldfastError } from "@holdfast/client";
import { expect, test } from "vitest";
import { outcome } from "./outcome.js";

const titleOf = (error: unknown): string | undefined => outcome(error)?.title;

test.each(["CONNECTION_LOST", "TIMEOUT"] as const)(
  "[SX24] Of a press that ends in %s it is said that it is not known whether it was done, and to look and press again.",
  (code) => {
    const toast = outcome(new HoldfastError(code, "session.pause: no answer."));
    expect(toast).toMatchObject({ level: "warning", title: "The result is unknown" });
    expect(toast?.text).not.toBe("");
  },
);

test("[SX24] Where nothing was sent, or what was wanted is there, nothing is said; of the rest, why it did not work.", () => {
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
