import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string): string => fileURLToPath(new URL(`./packages/${path}`, import.meta.url));

/**
 * If a test needs a program of this machine, its file name contains the program's name:
 * `restart.chromium.test.ts`. scripts/programs.mjs finds the program. The number limits the files
 * that run at once. They mostly wait for a page or for Redis.
 */
const programs = { chromium: 2, redis: 3, nginx: 1, python: 1, cc: 1 };
const needsProgram = `**/*.{${Object.keys(programs).join(",")}}.test.ts`;

/** One project for the unit tests of each package, so that `vitest --project client` is fast. */
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
    // Tests read sources and need no build. tsconfig.base.json has the same list for types.
    alias: [
      { find: /^@holdfast\/(protocol|client|server)\/([a-z-]+)$/, replacement: source("$1/src/$2.ts") },
      { find: /^@holdfast\/(protocol|client|server|cli)$/, replacement: source("$1/src/index.ts") },
    ],
  },
  test: {
    // The longest files mostly wait. Measurements run before the rest (packages/server/test/flood),
    // or measure the processor time of a process.
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
            // TypeScript 7 by its path: see scripts/typecheck.mjs.
            checker: fileURLToPath(new URL("./node_modules/@typescript/native/bin/tsc", import.meta.url)),
            include: ["packages/*/{src,test}/**/*.test-d.ts"],
            tsconfig: "./tsconfig.json",
            // `npm run typecheck` reports errors of the sources. Here only the assertions of type
            // tests count.
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
