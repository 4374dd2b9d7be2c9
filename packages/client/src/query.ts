/**
 * Encodes the parameters as a query string. `URLSearchParams` is not used, because the class is
 * missing or incomplete on some React Native engines. A page's production build uses
 * src/page/query.ts instead.
 */
export function queryOf(parameters: readonly (readonly [name: string, value: unknown])[]): string {
  return parameters
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join("&");
}
