/** Removes the indentation, because code in a source is indented further than in a README. */
export function codeLines(code: string): string {
  return code
    .split("\n")
    .map((line) => line.trim())
    .join("\n");
}

/** The TypeScript snippets of a README. */
export function snippetsOf(readme: string): string[] {
  return [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => codeLines(code));
}
