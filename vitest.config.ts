import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string): string => fileURLToPath(new URL(`./packages/${path}`, import.meta.url));

/**
 * Tests that need a program of this machine are named after it: `restart.chromium.test.ts`. scripts/programs.mjs finds it.
 * With each, how many files run at once; they mostly wait, for a page that starts or for what a real Redis takes its time with.
 */
const programs = { chromium: 2, redis: 3, nginx: 1, python: 1, cc: 1 };
const needsProgram = `**/*.{${Object.keys(programs).join(",")}}.test.ts`;

/** One project for the unit tests of a package, so that `vitest --project client` is quick and its results are named. */
const unit = (name: string, folder: string) => ({
  extends: true as const,
  test: {
    name,
    include: [`${folder}/{src,test}/**/*.test.ts`],
    exclude: ["**/node_modules/**", needsProgram],
  },
});

export default defineConfig({
  resolve: {
    // Tests read sources and need no build. tsconfig.base.json holds the same list for types.
    alias: [
      { find: /^@holdfast\/(protocol|client|server)\/([a-z-]+)$/, replacement: source("$1/src/$2.ts") },
      { find: /^@holdfast\/(protocol|client|server|cli)$/, replacement: source("$1/src/index.ts") },
    ],
  },
  test: {
    // The longest files mostly wait. What they measure goes before the rest (packages/server/test/flood), or is the processor time of a process.
    maxWorkers: 2,
    projects: [
      unit("protocol", "packages/protocol"),
      unit("client", "packages/client"),
      unit("server", "packages/server"),
      unit("cli", "packages/cli"),
      unit("examples", "examples/*"),
      {
        extends: true,
        test: {
          name: "scripts",
          include: ["scripts/**/*.test.ts"],
          exclude: ["**/node_modules/**", needsProgram],
        },
      },
      {
        extends: true,
        test: {
          name: "types",
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            // TypeScript 7, by its path: see scripts/typecheck.mjs.
            checker: fileURLToPath(new URL("./node_modules/@typescript/native/bin/tsc", import.meta.url)),
            include: ["packages/*/{src,test}/**/*.test-d.ts"],
            tsconfig: "./tsconfig.json",
            // `npm run typecheck` reports those; here only what a type test claims counts.
            ignoreSourceErrors: true,
          },
        },
      },
      ...Object.entries(programs).map(([name, maxWorkers]) => ({
        extends: true as const,
        test: {
          name,
          include: [`{packages,examples}/*/{src,test}/**/*.${name}.test.ts`, `scripts/**/*.${name}.test.ts`],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers,
        },
      })),
    ],
  },
});
