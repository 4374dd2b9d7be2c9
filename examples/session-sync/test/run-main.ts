import { buildExample, type RunningProgram, runProgram } from "@holdfast/example-kit/testing/program";

export { end } from "@holdfast/example-kit/testing/program";

const folder = new URL("../", import.meta.url);

export const build = (): void => buildExample(folder);

export interface RunOptions {
  port?: number;
  redisUrl?: string;
  env?: NodeJS.ProcessEnv;
}

/** Runs the built server in a separate process that a test may kill. */
export function runMain({ port = 0, redisUrl = "", env }: RunOptions = {}): Promise<RunningProgram> {
  return runProgram(new URL("dist/main.js", folder), [], {
    env: { PORT: String(port), REDIS_URL: redisUrl, ...env },
  });
}
