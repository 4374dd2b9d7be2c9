import type { Logger } from "@holdfast/protocol";
import { isThenable } from "../environment.js";

export type { Logger };

const ignore = (): void => {};
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Text from a peer, made safe for a log line: no control characters, no flood. */
export function printable(text: string): string {
  return text.slice(0, 256).replace(/[\p{Cc}\p{Cf}]/gu, "�");
}

/**
 * A logger whose own failures are nobody's: a line that cannot be written must not leave a
 * connection half closed.
 */
export function sturdy(logger: Logger): Logger {
  const guard =
    (level: keyof Logger) =>
    (fields: object, message: string): void => {
      try {
        // `unknown`, because an asynchronous function fits the type as well, and what it rejects
        // with is nobody's either.
        const written: unknown = logger[level](fields, message);
        if (isThenable(written)) written.then(ignore, ignore);
      } catch {
        // There is nowhere to say it.
      }
    };
  return { debug: guard("debug"), info: guard("info"), warn: guard("warn"), error: guard("error") };
}
