/**
 * Where the server says what it does: fields first, then a sentence, so that a pino logger fits as it is. It never holds a
 * credential or a payload. @default silent
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const ignore = (): void => {};
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Text from a peer, made safe for a log line: no control characters, no flood. */
export function printable(text: string): string {
  return text.slice(0, 256).replace(/[\p{Cc}\p{Cf}]/gu, "�");
}
