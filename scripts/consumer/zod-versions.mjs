/**
 * Tries the packed packages with several versions of zod 4: the README's program must compile and
 * run with each version, and all versions must give equal descriptions.
 */
import { copyFileSync, cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { root, run } from "../run.mjs";

/**
 * The first version, the last of three minor versions that wrote JSON Schema differently, and the
 * newest.
 */
const versions = ["4.0.0", "4.0.17", "4.1.13", "4.4.3", "4.6.7"];

/**
 * The program that runs with each version. The path is the same as in the repository, because the
 * program imports the README's program. Each version gets a port of its own.
 */
const APP = "scripts/consumer/zod-app";

/** The consumer check installs each version under a separate name. */
export const installedZods = Object.fromEntries(versions.map((version) => [`zod-${version}`, `npm:zod@${version}`]));

/**
 * @param {string} folder where the packages are installed
 * @param {{ [version: string]: string }} compilers the path of `tsc` by the version of TypeScript;
 *   the last compiler emits
 * @returns {Promise<string>} one line for the summary
 */
export async function checkZodVersions(folder, compilers) {
  const folders = new Map(versions.map((version) => [version, join(folder, `with-zod-${version}`)]));
  for (const [version, below] of folders) await prepare(folder, below, version);
  const compilerOptions = {
    module: "NodeNext",
    target: "ES2022",
    lib: ["ES2023"],
    types: ["node"],
    strict: true,
    skipLibCheck: false,
  };
  // One program for all versions: code that does not depend on zod is checked once.
  const files = [...folders.values()].map((below) => join(below, `${APP}.ts`));
  writeFileSync(join(folder, "tsconfig.zod.json"), JSON.stringify({ compilerOptions, files }));
  const names = Object.keys(compilers);
  for (const name of names) {
    const args = [compilers[name], "-p", "tsconfig.zod.json", "--noEmit", `${name !== names.at(-1)}`];
    const { code, output } = await run(process.execPath, args, { cwd: folder, timeoutMs: 60_000 });
    if (code !== 0) throw new Error(`TypeScript ${name}, with zod ${versions.join(", ")}:\n${output}`);
  }

  const outputs = new Map();
  for (const [version, below] of folders) {
    const { code, output } = await run(process.execPath, [`${APP}.js`], { cwd: below, timeoutMs: 20_000 });
    if (code !== 0) throw new Error(`zod ${version}:\n${output}`);
    outputs.set(version, output);
  }
  const [[oldest, first], ...others] = outputs;
  for (const [version, output] of others)
    if (output !== first)
      throw new Error(`zod ${version} writes other descriptions than ${oldest}:\n${output}\n${first}`);
  return `zod ${versions.join(", ")}`;
}

/**
 * Prepares a folder whose packages resolve this version of zod. The packages resolve all other
 * dependencies from the folder around it.
 */
async function prepare(folder, below, version) {
  for (const path of ["node_modules", "docs/snippets", dirname(APP)]) mkdirSync(join(below, path), { recursive: true });
  renameSync(join(folder, "node_modules", `zod-${version}`), join(below, "node_modules/zod"));
  cpSync(join(folder, "node_modules/@holdfast"), join(below, "node_modules/@holdfast"), { recursive: true });
  const port = await freePort();
  for (const name of ["protocol", "server", "client"]) {
    const path = `docs/snippets/${name}.ts`;
    writeFileSync(join(below, path), readFileSync(join(root, path), "utf8").replaceAll("3000", `${port}`));
  }
  copyFileSync(join(root, `${APP}.ts`), join(below, `${APP}.ts`));
  writeFileSync(join(below, "package.json"), '{ "type": "module" }');
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
