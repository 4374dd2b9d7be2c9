import type { Logger } from "@holdfast/protocol";
import { isThenable } from "../environment.js";

export type { Logger };

const ignore = (): void => {};
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Makes a peer's text safe for a log line: at most 256 characters, control characters replaced. */
export function printable(text: string): string {
  return text.slice(0, 256).replace(/[\p{Cc}\p{Cf}]/gu, "�");
}

/**
 * Wraps a logger so that failures to write have no effect. If writing a line throws, the connection
 * that is being closed must still be closed completely.
 */
export function sturdy(logger: Logger): Logger {
  const guard =
    (level: keyof Logger) =>
    (fields: object, message: string): void => {
      try {
        // `unknown`, because an asynchronous function fits the type too, and a rejection must not
        // end the process.
        const written: unknown = logger[level](fields, message);
        if (isThenable(written)) written.then(ignore, ignore);
      } catch {
        // The failure cannot be logged either.
      }
    };
  return { debug: guard("debug"), info: guard("info"), warn: guard("warn"), error: guard("error") };
}
