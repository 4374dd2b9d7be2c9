import type { Logger } from "@holdfast/protocol";

/** The application's logger, whose own failures harm nothing, whether it throws or rejects. */
export function sturdy(logger: Partial<Logger> = {}): Logger {
  const guard = (level: keyof Logger): Logger["warn"] =>
    (async (fields: object, message: string) => {
      try {
        // An asynchronous function fits the type as well.
        await logger[level]?.(fields, message);
      } catch {
        // There is nowhere to say it.
      }
    }) as Logger["warn"];
  return { debug: guard("debug"), info: guard("info"), warn: guard("warn"), error: guard("error") };
}
