import { isHoldfastError } from "@holdfast/client";
import type { Toast } from "@holdfast/example-kit/page/toasts";

const UNKNOWN: Toast = {
  level: "warning",
  title: "It is not known whether that was done",
  text: "The answer was lost with the connection. Look when the page is live again, and press again if it was not.",
};

/** What a person is told of a press whose request failed, if anything. */
export function outcome(error: unknown): Toast | undefined {
  switch (isHoldfastError(error) ? error.code : undefined) {
    // Both wanted the same, and it has happened: the document shows it.
    case "CYCLE_OVER":
    case "SESSION_EXISTS":
    // The connection strip says it, and nothing was sent.
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
