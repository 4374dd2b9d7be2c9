import { buildExample, type RunningProgram, runProgram } from "@holdfast/example-kit/testing/program";

export { end } from "@holdfast/example-kit/testing/program";

const folder = new URL("../", import.meta.url);

export const build = (): void => buildExample(folder);

export function runMain({ port = 0, data }: { port?: number; data: string }): Promise<RunningProgram> {
  return runProgram(new URL("dist/main.js", folder), [], { env: { PORT: String(port), DATA: data } });
}
