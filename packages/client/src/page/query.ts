import { host } from "../host.js";

/**
 * Encodes the parameters in a page's production build. Every browser that supports this build has
 * `URLSearchParams`. The class encodes a space as `+`, which servers read like `%20`.
 */
export function queryOf(parameters: readonly (readonly [name: string, value: unknown])[]): string {
  return new host.URLSearchParams!(parameters).toString();
}
