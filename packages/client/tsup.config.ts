import { fileURLToPath } from "node:url";
import { defineConfig } from "tsup";
import { shortNames } from "../../scripts/private-names.mjs";
import { base, page, pagePlugins } from "../../tsup.base.js";

const source = fileURLToPath(new URL("src", import.meta.url));
/** The private names are searched once and shortened in both formats. */
const names = await shortNames(source);

export default defineConfig([
  {
    ...base,
    entry: { index: "src/index.ts" },
    platform: "neutral",
    tsconfig: "tsconfig.src.json",
    // All builds run at once, so this build must not delete the output of the others.
    clean: ["!page/**", "!file.*"],
  },
  {
    // Code that only Node can run.
    ...base,
    entry: { file: "src/file.ts" },
    platform: "node",
    // tsup's compiler does not read `types` from tsconfig.json here.
    dts: { compilerOptions: { ...base.dts.compilerOptions, types: ["node"] } },
    clean: false,
  },
  {
    // The code that a page downloads in production.
    ...page,
    entry: { index: "src/index.ts" },
    tsconfig: "tsconfig.src.json",
    esbuildPlugins: pagePlugins(source),
    esbuildOptions: (options) => void Object.assign(options, names),
  },
]);
