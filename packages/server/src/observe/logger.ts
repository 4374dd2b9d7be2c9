import type { Logger } from "@holdfast/protocol";

export type { Logger };

const ignore = (): void => {};
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Text from a peer, made safe for a log line: no control characters, no flood. */
export function printable(text: string): string {
  return text.slice(0, 256).replace(/[\p{Cc}\p{Cf}]/gu, "�");
}
