/**
 * In a page's production build: the close code itself. The generated reference says what it means.
 */
export function meaningOf(code: number, name: string): string {
  return `of ${name} (${code})`;
}
