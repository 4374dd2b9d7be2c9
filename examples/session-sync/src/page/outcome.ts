import { isHoldfastError } from "@holdfast/client";
import type { Toast } from "@holdfast/example-kit/page/toasts";

const UNKNOWN: Toast = {
  level: "warning",
  title: "It is not known whether that was done",
  text: "The answer was lost with the connection. Look when the page is live again, and press again if it was not.",
};

/** The message for a failed request of the user, if one is needed. */
export function outcome(error: unknown): Toast | undefined {
  switch (isHoldfastError(error) ? error.code : undefined) {
    // Another user did the same first, and the document shows the result.
    case "CYCLE_OVER":
    case "SESSION_EXISTS":
    // The connection strip shows this error, and nothing was sent.
    case "NOT_CONNECTED":
      return undefined;
    case "CONNECTION_LOST":
      return UNKNOWN;
    case "TIMEOUT":
      return { ...UNKNOWN, text: "There was no answer in time. Look, and press again if it was not." };
    default:
      return failure(error);
  }
}

export function failure(error: unknown): Toast {
  return { level: "error", title: "That did not work", text: error instanceof Error ? error.message : String(error) };
}
