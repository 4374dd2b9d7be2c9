/**
 * These parameters as a query string. By hand, because `URLSearchParams` is missing or incomplete
 * on some React Native engines; a page gets src/page/query.ts instead.
 */
export function queryOf(parameters: readonly (readonly [name: string, value: unknown])[]): string {
  return parameters
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join("&");
}
