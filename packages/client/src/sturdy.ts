import type { Logger } from "@holdfast/protocol";

/**
 * Wraps the application's logger, so that a logger that throws or rejects does not affect the
 * client.
 */
export function sturdy(logger: Partial<Logger> = {}): Logger {
  const guard = (level: keyof Logger): Logger["warn"] =>
    (async (fields: object, message: string) => {
      try {
        // The type also accepts an async function.
        await logger[level]?.(fields, message);
      } catch {
        // The error has nowhere to go, because logging itself failed.
      }
    }) as Logger["warn"];
  return { debug: guard("debug"), info: guard("info"), warn: guard("warn"), error: guard("error") };
}
