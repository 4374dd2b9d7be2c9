import { host } from "../host.js";

/**
 * In a page's production build: every browser that has WebSocket also has this class. The class
 * encodes a space as `+`, which servers read like `%20`.
 */
export function queryOf(parameters: readonly (readonly [name: string, value: unknown])[]): string {
  return new host.URLSearchParams!(parameters).toString();
}
