import { received } from "./call-options.js";

/**
 * Hosts and origins appear in headers and in the options `hosts` and `origins`. Before a
 * comparison, both sides are brought to the form that browsers send.
 */

/** A name or an address, with or without a port, in lower case. */
export const AUTHORITY = /^([a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/;
/** A scheme and an authority. */
export const ORIGIN = /^(https?):\/\/([^/\\\s*?#@]+)$/i;

/** The error of the option `origins`, or undefined if the option is valid. */
export function originsFault(origins: readonly string[] | undefined): string | undefined {
  if (origins === undefined) return undefined;
  if (!Array.isArray(origins)) return `expected an array, ${received(origins)}`;
  const wrong = origins.find((origin) => typeof origin !== "string" || !ORIGIN.test(origin) || !URL.canParse(origin));
  if (wrong === undefined) return undefined;
  return `${JSON.stringify(wrong)} is not an origin; expected a scheme and a host, such as "https://app.example.com"`;
}

/** The error of the option `hosts`, or undefined if the option is valid. */
export function hostsFault(hosts: readonly string[] | undefined): string | undefined {
  if (hosts === undefined) return undefined;
  if (!Array.isArray(hosts)) return `expected an array, ${received(hosts)}`;
  const wrong = hosts.find((host) => typeof host !== "string" || !AUTHORITY.test(normalHost(host)));
  if (wrong === undefined) return undefined;
  return `${JSON.stringify(wrong)} is not a host; expected a name or an address, such as "app.example.com" or "[::1]:3000"`;
}

/**
 * An origin in the form that browsers send: in lower case, without the default port of the scheme,
 * and with an international name in its ASCII form.
 */
export function normalOrigin(origin: string): string {
  return new URL(origin).origin;
}

/**
 * A host in the form that browsers send, except that a given default port stays. An empty string if
 * `host` is not a valid host.
 */
export function normalHost(host: string): string {
  const [, name, port = ""] = /^(\[[^\]]+\]|[^/\\\s*?#@:]+)(:\d{1,5})?$/.exec(host) ?? [];
  return name !== undefined && URL.canParse(`http://${name}${port}`) ? new URL(`http://${name}`).hostname + port : "";
}

/** Removes the default port of the scheme, as browsers do. */
export function withoutDefaultPort(host: string, scheme: string): string {
  return host.replace(scheme === "https" ? /:443$/ : /:80$/, "");
}
