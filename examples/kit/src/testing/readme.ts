/**
 * Code compared by its lines: where it stands in a source it is indented further than in a README.
 */
export function codeLines(code: string): string {
  return code
    .split("\n")
    .map((line) => line.trim())
    .join("\n");
}

/** The TypeScript that a README shows. */
export function snippetsOf(readme: string): string[] {
  return [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => codeLines(code));
}
