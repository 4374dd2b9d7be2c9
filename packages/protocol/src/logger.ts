/**
 * The logger that client and server write to: fields first, then the message, so that a pino logger
 * fits. Holdfast logs neither credentials nor payloads.
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
