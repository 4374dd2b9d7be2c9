import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const source = fileURLToPath(new URL(".", import.meta.url));

/**
 * All modules that run when a file is imported, and all packages that they name. Imports of types
 * do not count.
 */
function reachable(entry: string): { files: string[]; packages: string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const statements = readFileSync(file, "utf8").matchAll(
      /^(?:import|export) (?!type )[^;]*? from "([^"]+)"|^import "([^"]+)"/gms,
    );
    for (const [, from, alone] of statements) {
      const path = (from ?? alone) as string;
      if (path.startsWith(".")) visit(resolve(dirname(file), path.replace(/\.js$/, ".ts")));
      else packages.add(path);
    }
  };
  visit(resolve(source, entry));
  return { files: [...files].map((file) => relative(source, file)).sort(), packages: [...packages].sort() };
}

test("[PR8] the main entry imports no JSON Schema and no Node module, and only the packages zod/mini and superjson", () => {
  const { files, packages } = reachable("index.ts");
  expect(files).toContain("define-protocol.ts");
  expect(files.filter((file) => /^describe|^json-schema|^schema-shape|^schema-facts/.test(file))).toEqual([]);
  expect(packages).toEqual(["superjson", "zod/mini"]);
});

test("[PR8] the entry `wire` imports no JSON Schema, and only the package zod/mini", () => {
  const { files, packages } = reachable("wire.ts");
  expect(files.filter((file) => /^describe|^json-schema|^schema-shape|^schema-facts/.test(file))).toEqual([]);
  expect(packages).toEqual(["zod/mini"]);
});

test("[PR8] the code that client and server share imports no JSON Schema, and only the package zod/mini", () => {
  const { files, packages } = reachable("plumbing.ts");
  expect(files).toContain("document/hash.ts");
  expect(files.filter((file) => /^describe|^json-schema|^schema-shape|^schema-facts/.test(file))).toEqual([]);
  expect(packages).toEqual(["zod/mini"]);
});

test.each([
  ["protocol", ["superjson"]],
  ["client", ["@holdfast/protocol", "isomorphic-ws", "reconnecting-websocket", "ws"]],
])("[PR8] the package %s depends on no package of the command line", (name, installed) => {
  const manifest = readFileSync(resolve(source, `../../${name}/package.json`), "utf8");
  const { dependencies } = JSON.parse(manifest) as { dependencies: { readonly [name: string]: string } };
  expect(Object.keys(dependencies).sort()).toEqual(installed);
});
