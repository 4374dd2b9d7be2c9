#!/usr/bin/env node
/**
 * Keeps the project's address in one place, `homepage` of the root package.json. From that address
 * the script derives `repository`, `homepage` and `bugs` of each package, and the links in the
 * packages' READMEs. These links must be absolute, because npm shows a README without the files
 * beside it.
 *
 *   node scripts/project-address.mjs           writes
 *   node scripts/project-address.mjs --check   writes nothing; names the files that differ, and fails
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { pathToFileURL } from "node:url";
import { packages, root } from "./run.mjs";

/** Matches the url of a file or folder on the main branch, at any address. */
const ofTheProject = /^https:\/\/[^\s)]+?\/(?:blob|tree)\/main\//;
const markdownLink = /\]\(([^)\s]+)\)/g;

/**
 * @param {Record<string, unknown>} manifest
 * @param {string} folder below the root
 * @param {string} address
 */
export function manifestAt(manifest, folder, address) {
  const facts = {
    homepage: `${address}/tree/main/${folder}#readme`,
    bugs: { url: `${address}/issues` },
    repository: { type: "git", url: `git+${address}.git`, directory: folder },
  };
  const entries = Object.entries(manifest).filter(([key]) => !Object.hasOwn(facts, key));
  const at = entries.findIndex(([key]) => key === "license");
  return Object.fromEntries(entries.toSpliced(at, 0, ...Object.entries(facts)));
}

/**
 * Returns the README with absolute links to other files of the repository. Links within the page
 * and links to other sites stay unchanged.
 *
 * @param {string} text
 * @param {string} folder below the root
 * @param {string} address
 */
export function readmeAt(text, folder, address) {
  return text.replace(markdownLink, (link, target) => {
    if (target.startsWith("#") || (/^[a-z]+:/.test(target) && !ofTheProject.test(target))) return link;
    const path = ofTheProject.test(target) ? target.replace(ofTheProject, "") : posix.join(folder, target);
    return `](${address}/blob/main/${path})`;
  });
}

/** Returns each file that must agree with the root package.json, with the expected text. */
export function expectedFiles() {
  const read = (path) => readFileSync(join(root, path), "utf8");
  const { homepage } = JSON.parse(read("package.json"));
  return packages.flatMap((name) => {
    const folder = `packages/${name}`;
    const manifest = manifestAt(JSON.parse(read(`${folder}/package.json`)), folder, homepage);
    return [
      { path: `${folder}/package.json`, text: `${JSON.stringify(manifest, null, 2)}\n` },
      { path: `${folder}/README.md`, text: readmeAt(read(`${folder}/README.md`), folder, homepage) },
    ];
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const different = expectedFiles().filter(({ path, text }) => readFileSync(join(root, path), "utf8") !== text);
  if (!process.argv.includes("--check")) {
    for (const { path, text } of different) writeFileSync(join(root, path), text);
  } else if (different.length > 0) {
    console.error(
      `These files differ from the address in package.json: ${different.map(({ path }) => path).join(", ")}`,
    );
    console.error("Run `node scripts/project-address.mjs`.");
    process.exitCode = 1;
  }
}
