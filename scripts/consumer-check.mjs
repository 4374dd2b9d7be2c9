/**
 * Uses the packages as an application does. The script packs the packages and installs the tarballs
 * into an empty folder outside the repository. There it compiles an application with several
 * compilers and `skipLibCheck: false`, runs the application as ESM, as CommonJS, as both in one
 * process and in Jest, and calls `npx holdfast docs`.
 *
 * The check finds faults that publint and attw cannot find: a syntax error in a published d.ts, two
 * copies of a class, a dependency that only Node can `require`, a process that does not end, a
 * client that installs the command line, a tarball that contains its sources twice.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tarballFaults } from "./consumer/tarballs.mjs";
import { checkZodVersions, installedZods } from "./consumer/zod-versions.mjs";
import { must, packages, root, run } from "./run.mjs";

/**
 * TypeScript 5.4 is the oldest version that compiles zod's own d.ts. TypeScript 6 and 7 are the
 * versions that this repository uses.
 */
const own = join(root, "node_modules");
const compilers = {
  5.4: "node_modules/typescript-5.4/bin/tsc",
  5.9: "node_modules/typescript-5.9/bin/tsc",
  6: join(own, "typescript/bin/tsc6"),
  7: join(own, "@typescript/native/bin/tsc"),
};
const installed = {
  "typescript-5.4": "npm:typescript@5.4.5",
  "typescript-5.9": "npm:typescript@5.9.3",
  jest: "30.5.2",
  ...installedZods,
};

const resolutions = {
  NodeNext: { module: "NodeNext", files: ["app.ts", "app-cjs.cts"], versions: Object.keys(compilers) },
  // The oldest and the newest version are enough, because the versions in between resolve modules
  // in the same way.
  Bundler: { module: "ESNext", files: ["app.ts"], versions: ["5.4", "7"] },
  // In this mode the compiler ignores `exports`. TypeScript 7 has removed the mode, and TypeScript
  // 6 needs a flag that silences the deprecation. zod's own d.ts need `esModuleInterop`.
  Node10: {
    module: "CommonJS",
    files: ["app.ts"],
    versions: ["5.4", "5.9", "6"],
    flags: { 6: ["--ignoreDeprecations", "6.0"] },
    more: { esModuleInterop: true },
  },
};

/** Every name that an application can import, such as `@holdfast/client/file`. */
const entries = packages.flatMap((name) => {
  const { exports } = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"));
  const paths = Object.keys(exports).filter((path) => path !== "./package.json");
  return paths.map((path) => `@holdfast/${name}${path.slice(1)}`);
});

/** The output of `npm pack` for each package. */
let packed;
/** The tarball of each package as a dependency: `file:…` by package name. */
let tarballs;

const folder = mkdtempSync(join(tmpdir(), "holdfast-consumer-"));
const here = { cwd: folder, timeoutMs: 60_000 };
const compile = (tsc, ...args) => run(process.execPath, [tsc, ...args], here);

try {
  await pack();
  copyFileSync(join(root, "scripts/consumer/app.ts"), join(folder, "app.ts"));
  copyFileSync(join(root, "scripts/consumer/app.ts"), join(folder, "app-cjs.cts"));
  for (const name of ["protocol.ts", "copies.mjs"])
    copyFileSync(join(root, "scripts/consumer", name), join(folder, name));
  const app = readFileSync(join(folder, "app.ts"), "utf8");
  for (const entry of entries)
    if (!app.includes(`"${entry}"`)) throw new Error(`consumer/app.ts does not import ${entry}.`);
  checkTarballs();
  await checkInstalled();
  checkNotices();
  await compileAll();
  await runAll();
  await runJest();
  await generateDocs();
  const { 5.4: oldest, 5.9: last, 7: native } = compilers;
  const zods = await checkZodVersions(folder, { 5.4: join(folder, oldest), 5.9: join(folder, last), 7: native });
  const versions = Object.keys(compilers).sort().join(", ");
  console.log(
    `TypeScript ${versions}; run as ESM, as CommonJS, as both at once and in Jest; npx holdfast docs; ${zods}`,
  );
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function pack() {
  const workspaces = packages.flatMap((name) => ["--workspace", `@holdfast/${name}`]);
  const answer = await must("npm", ["pack", "--json", "--pack-destination", folder, ...workspaces]);
  packed = Object.values(JSON.parse(answer));
  tarballs = Object.fromEntries(packed.map(({ name, filename }) => [name, `file:${join(folder, filename)}`]));
  const manifest = {
    private: true,
    type: "module",
    dependencies: {
      ...tarballs,
      zod: "^4",
      ioredis: "^6",
      "@types/node": "^20",
      "@types/ws": "^8",
    },
    devDependencies: installed,
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest, null, 2));
  await must("npm", ["install", "--prefer-offline", "--ignore-scripts", "--no-package-lock"], here);
}

async function compileAll() {
  const jobs = Object.entries(resolutions).flatMap(
    ([moduleResolution, { module, files, versions, flags = {}, more = {} }]) => {
      const compilerOptions = {
        module,
        moduleResolution,
        target: "ES2022",
        lib: ["ES2023"],
        types: ["node"],
        strict: true,
        ...more,
      };
      const config = { compilerOptions: { ...compilerOptions, skipLibCheck: false, noEmit: true }, files };
      writeFileSync(join(folder, `tsconfig.${moduleResolution}.json`), JSON.stringify(config));
      return versions.map((version) => async () => {
        const args = ["-p", `tsconfig.${moduleResolution}.json`, ...(flags[version] ?? [])];
        const { code, output } = await compile(compilers[version], ...args);
        if (code !== 0) throw new Error(`TypeScript ${version}, ${moduleResolution}:\n${output}`);
      });
    },
  );
  // Two jobs run at a time: the compilers are the slow part, and CI machines have two cores.
  const worker = async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) await job();
  };
  await Promise.all([worker(), worker()]);
}

async function runAll() {
  const { code, output } = await compile(compilers[7], "-p", "tsconfig.NodeNext.json", "--noEmit", "false");
  if (code !== 0) throw new Error(`Emitting JavaScript:\n${output}`);
  for (const file of ["app.js", "app-cjs.cjs", "copies.mjs"]) {
    const { code, output } = await run(process.execPath, [file], { cwd: folder, timeoutMs: 20_000 });
    if (code !== 0 || output !== "DONE") throw new Error(`node ${file} failed, or wrote more than DONE:\n${output}`);
  }
}

/**
 * Runs Jest with its default configuration in a folder without `"type": "module"`, then with the
 * conditions of its jsdom environment.
 */
async function runJest() {
  const below = join(folder, "jest");
  mkdirSync(below);
  writeFileSync(join(below, "package.json"), "{}");
  copyFileSync(join(root, "scripts/consumer/app.test.js"), join(below, "app.test.js"));
  const inBrowser = JSON.stringify({ customExportConditions: ["browser", "require", "default"] });
  for (const [names, ...args] of [
    [entries],
    [
      entries.filter((name) => !name.startsWith("@holdfast/server")),
      "-t",
      "loads",
      `--testEnvironmentOptions=${inBrowser}`,
    ],
  ]) {
    const env = { ENTRIES: JSON.stringify(names) };
    const jest = join(folder, "node_modules/jest/bin/jest.js");
    // Jest succeeds even if it logs open handles, so the check searches the output. If the process
    // does not end, Holdfast has left a handle open.
    const { code, output } = await run(process.execPath, [jest, "--ci", ...args], {
      cwd: below,
      env,
      timeoutMs: 60_000,
    });
    if (code !== 0 || /did not exit/.test(output)) throw new Error(`jest ${args.join(" ")}:\n${output}`);
  }
}

function checkTarballs() {
  const faults = packed.flatMap((each) => tarballFaults(each, join(folder, "node_modules", each.name)));
  if (faults.length > 0) throw new Error(faults.join("\n"));
}

/**
 * Checks what npm installs for an application with only the client and an old zod: one copy of zod,
 * and nothing of the command line.
 */
async function checkInstalled() {
  const below = join(folder, "client-alone");
  mkdirSync(below);
  const { "@holdfast/client": client, "@holdfast/protocol": protocol } = tarballs;
  const dependencies = { "@holdfast/client": client, "@holdfast/protocol": protocol, zod: "4.0.17" };
  writeFileSync(join(below, "package.json"), JSON.stringify({ private: true, dependencies }));
  await must("npm", ["install", "--prefer-offline", "--package-lock-only"], { cwd: below, timeoutMs: 60_000 });
  const lock = JSON.parse(readFileSync(join(below, "package-lock.json"), "utf8"));
  const paths = Object.keys(lock.packages).filter((path) => path !== "");
  const named = (name) => paths.filter((path) => path.endsWith(`node_modules/${name}`));
  if (named("@holdfast/client").length !== 1)
    throw new Error(`npm did not install the client, only ${paths.join(", ")}`);
  for (const name of ["jiti", "@holdfast/cli", "@holdfast/server"])
    if (named(name).length > 0) throw new Error(`Installing only the client installs ${name}.`);
  if (named("zod").length !== 1)
    throw new Error(`Installing only the client installs zod at ${named("zod").join(", ")}.`);
}

/**
 * Checks the licences: bundled packages are not installed, so the tarball must contain the licence
 * of each bundled package.
 */
function checkNotices() {
  const below = join(folder, "node_modules/@holdfast/protocol/dist");
  const notices = readFileSync(join(below, "bundled-licences.txt"), "utf8");
  const builds = readdirSync(below).filter((file) => file.endsWith(".cjs"));
  // esbuild writes the path of each file above its code.
  const headings = builds.flatMap((file) => readFileSync(join(below, file), "utf8").match(/^\/\/ .*$/gm) ?? []);
  const bundled = new Set(headings.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []));
  if (!bundled.has("superjson")) throw new Error("The CommonJS build does not contain superjson.");
  for (const name of bundled)
    if (!notices.includes(`${name} `)) throw new Error(`The licence of ${name} is not in bundled-licences.txt.`);
}

async function generateDocs() {
  mkdirSync(join(folder, "docs"));
  await must("npx", ["--no-install", "holdfast", "docs", "protocol.ts", "--out", "docs"], here);
  const files = readdirSync(join(folder, "docs"));
  for (const ending of [".json", ".md", ".html"])
    if (!files.some((file) => file.endsWith(ending)))
      throw new Error(`holdfast docs wrote no ${ending}, only ${files.join(", ")}`);
}
