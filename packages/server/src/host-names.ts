/** How hosts and origins are written: in headers, and in the options `hosts` and `origins`. */

/** A name or an address, perhaps with a port. In lower case. */
export const AUTHORITY = /^([a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/;
/** A scheme and an authority. */
export const ORIGIN = /^(https?):\/\/([^/\\\s*?#@]+)$/i;

/** What is wrong with the option `origins`. */
export function originsFault(origins: readonly string[] | undefined): string | undefined {
  if (origins === undefined) return undefined;
  if (!Array.isArray(origins)) return "expected a list";
  const wrong = origins.find((origin) => typeof origin !== "string" || !ORIGIN.test(origin) || !URL.canParse(origin));
  if (wrong === undefined) return undefined;
  return `${JSON.stringify(wrong)} is not an origin; expected a scheme and a host, such as "https://app.example.com"`;
}

/** What is wrong with the option `hosts`. */
export function hostsFault(hosts: readonly string[] | undefined): string | undefined {
  if (hosts === undefined) return undefined;
  if (!Array.isArray(hosts)) return "expected a list";
  const wrong = hosts.find((host) => typeof host !== "string" || !AUTHORITY.test(normalHost(host)));
  if (wrong === undefined) return undefined;
  return `${JSON.stringify(wrong)} is not a host; expected a name or an address, such as "app.example.com" or "[::1]:3000"`;
}

/**
 * As browsers send it: in lower case, without the scheme's default port, an international name in
 * its ASCII form.
 */
export function normalOrigin(origin: string): string {
  return new URL(origin).origin;
}

/** As browsers send it, but with a default port that is given; empty if it is not a host. */
export function normalHost(host: string): string {
  const [, name, port = ""] = /^(\[[^\]]+\]|[^/\\\s*?#@:]+)(:\d{1,5})?$/.exec(host) ?? [];
  return name !== undefined && URL.canParse(`http://${name}${port}`) ? new URL(`http://${name}`).hostname + port : "";
}

/** Browsers leave the default port of the scheme out. */
export function withoutDefaultPort(host: string, scheme: string): string {
  return host.replace(scheme === "https" ? /:443$/ : /:80$/, "");
}
