import { isHoldfastError } from "@holdfast/client";
import type { Toast } from "@holdfast/example-kit/page/toasts";

const UNKNOWN: Toast = {
  level: "warning",
  title: "The result is unknown",
  text: "The answer was lost with the connection. After the page has reconnected, check the session and try again if nothing has changed.",
};

/** The message for a failed request of the user; undefined if no message is needed. */
export function outcome(error: unknown): Toast | undefined {
  switch (isHoldfastError(error) ? error.code : undefined) {
    // Another user has done the same first, and the document shows the result.
    case "CYCLE_OVER":
    case "SESSION_EXISTS":
    // The connection strip shows this error, and nothing was sent.
    case "NOT_CONNECTED":
      return undefined;
    case "CONNECTION_LOST":
      return UNKNOWN;
    case "TIMEOUT":
      return {
        ...UNKNOWN,
        text: "The server did not answer in time. Check the session and try again if nothing has changed.",
      };
    default:
      return failure(error);
  }
}

export function failure(error: unknown): Toast {
  return { level: "error", title: "The action failed", text: error instanceof Error ? error.message : String(error) };
}
