/**
 * Where client and server say what they do and why: fields first, then a sentence, so that a pino
 * logger fits as it is. It is never given a credential or a payload.
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
