/**
 * In a page's production build the meaning is only the close code. The generated reference explains
 * the code.
 */
export function meaningOf(code: number, name: string): string {
  return `of ${name} (${code})`;
}
