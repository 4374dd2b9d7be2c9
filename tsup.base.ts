import type { Options } from "tsup";

/** How every package is built; a package adds its entries. */
export const base = {
  format: ["esm", "cjs"],
  dts: true,
  // Also for CommonJS: without it a class imported from two entries of one package would be two classes.
  splitting: true,
  sourcemap: true,
  clean: true,
  target: "es2022",
  removeNodeProtocol: false,
} satisfies Options;
