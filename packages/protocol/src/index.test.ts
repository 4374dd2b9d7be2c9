import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const source = fileURLToPath(new URL(".", import.meta.url));

/** Every module that importing a file runs, and every package it names. Types are gone by then. */
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

test("[PR8] what a page imports reaches neither the JSON Schemas nor Node, and of packages only zod/mini and superjson", () => {
  const { files, packages } = reachable("index.ts");
  expect(files).toContain("define-protocol.ts");
  expect(files.filter((file) => /^describe|^json-schema|^schema-shape|^schema-facts/.test(file))).toEqual([]);
  expect(packages).toEqual(["superjson", "zod/mini"]);
});

test("[PR8] those who read frames need no more", () => {
  const { files, packages } = reachable("wire.ts");
  expect(files.filter((file) => /^describe|^json-schema|^schema-shape|^schema-facts/.test(file))).toEqual([]);
  expect(packages).toEqual(["zod/mini"]);
});

test("[PR8] nor does what the client shares with the server", () => {
  const { files, packages } = reachable("plumbing.ts");
  expect(files).toContain("document/hash.ts");
  expect(files.filter((file) => /^describe|^json-schema|^schema-shape|^schema-facts/.test(file))).toEqual([]);
  expect(packages).toEqual(["zod/mini"]);
});

test.each([
  ["protocol", ["superjson"]],
  ["client", ["@holdfast/protocol", "isomorphic-ws", "reconnecting-websocket", "ws"]],
])("[PR8] %s installs nothing of the command line", (name, installed) => {
  const manifest = readFileSync(resolve(source, `../../${name}/package.json`), "utf8");
  const { dependencies } = JSON.parse(manifest) as { dependencies: { readonly [name: string]: string } };
  expect(Object.keys(dependencies).sort()).toEqual(installed);
});
