import { host } from "../host.js";

/**
 * In a page's production build: every browser that has WebSocket has this class. It writes a space
 * as `+`, which servers read alike.
 */
export function queryOf(parameters: readonly (readonly [name: string, value: unknown])[]): string {
  return new host.URLSearchParams!(parameters).toString();
}
