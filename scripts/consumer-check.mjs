/**
 * What an application meets: the three packages are packed, installed into an empty folder outside the repository,
 * compiled by several compilers with `skipLibCheck: false`, run as ESM and as CommonJS, and `npx holdfast docs` is called.
 * It catches what publint and attw cannot: a syntax error in a published d.ts, two copies of a class, a process that
 * does not end.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must, packages, root, run } from "./run.mjs";

/** 5.4 is the oldest that zod's own d.ts compile with. The newer two are those of the repository. */
const own = join(root, "node_modules");
const compilers = {
  5.4: "node_modules/typescript-5.4/bin/tsc",
  5.9: "node_modules/typescript-5.9/bin/tsc",
  6: join(own, "typescript/bin/tsc6"),
  7: join(own, "@typescript/native/bin/tsc"),
};
const installed = { "typescript-5.4": "npm:typescript@5.4.5", "typescript-5.9": "npm:typescript@5.9.3" };

const resolutions = {
  NodeNext: { module: "NodeNext", files: ["app.ts", "app-cjs.cts"], versions: Object.keys(compilers) },
  // The oldest and the newest: what differs between resolutions does not depend on the versions between them.
  Bundler: { module: "ESNext", files: ["app.ts"], versions: ["5.4", "7"] },
};

const folder = mkdtempSync(join(tmpdir(), "holdfast-consumer-"));
const here = { cwd: folder, timeoutMs: 60_000 };
const compile = (tsc, ...args) => run(process.execPath, [tsc, ...args], here);

try {
  await pack();
  copyFileSync(join(root, "scripts/consumer/app.ts"), join(folder, "app.ts"));
  copyFileSync(join(root, "scripts/consumer/app.ts"), join(folder, "app-cjs.cts"));
  copyFileSync(join(root, "scripts/consumer/protocol.ts"), join(folder, "protocol.ts"));
  await compileAll();
  await runBoth();
  await generateDocs();
  console.log(`TypeScript ${Object.keys(compilers).sort().join(", ")}; run as ESM and CommonJS; npx holdfast docs`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function pack() {
  const workspaces = packages.flatMap((name) => ["--workspace", `@holdfast/${name}`]);
  const packed = JSON.parse(await must("npm", ["pack", "--json", "--pack-destination", folder, ...workspaces]));
  const tarballs = Object.values(packed).map(({ name, filename }) => [name, `file:${filename}`]);
  const manifest = {
    private: true,
    type: "module",
    dependencies: { ...Object.fromEntries(tarballs), zod: "^4", "@types/node": "^20", "@types/ws": "^8" },
    devDependencies: installed,
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest, null, 2));
  await must("npm", ["install", "--prefer-offline", "--ignore-scripts", "--no-package-lock"], here);
}

async function compileAll() {
  const jobs = Object.entries(resolutions).flatMap(([moduleResolution, { module, files, versions }]) => {
    const compilerOptions = {
      module,
      moduleResolution,
      target: "ES2022",
      lib: ["ES2023"],
      types: ["node"],
      strict: true,
    };
    const config = { compilerOptions: { ...compilerOptions, skipLibCheck: false, noEmit: true }, files };
    writeFileSync(join(folder, `tsconfig.${moduleResolution}.json`), JSON.stringify(config));
    return versions.map((version) => async () => {
      const { code, output } = await compile(compilers[version], "-p", `tsconfig.${moduleResolution}.json`);
      if (code !== 0) throw new Error(`TypeScript ${version}, ${moduleResolution}:\n${output}`);
    });
  });
  // Two at a time: the compilers are the slow part, and CI machines have two cores.
  const worker = async () => {
    for (let job = jobs.shift(); job; job = jobs.shift()) await job();
  };
  await Promise.all([worker(), worker()]);
}

async function runBoth() {
  const { code, output } = await compile(compilers[7], "-p", "tsconfig.NodeNext.json", "--noEmit", "false");
  if (code !== 0) throw new Error(`Emitting JavaScript:\n${output}`);
  for (const file of ["app.js", "app-cjs.cjs"]) {
    const { code, output } = await run(process.execPath, [file], { cwd: folder, timeoutMs: 20_000 });
    if (code !== 0 || output !== "DONE")
      throw new Error(`node ${file} did not work, or wrote more than DONE:\n${output}`);
  }
}

async function generateDocs() {
  mkdirSync(join(folder, "docs"));
  await must("npx", ["--no-install", "holdfast", "docs", "protocol.ts", "--out", "docs"], here);
  const files = readdirSync(join(folder, "docs"));
  for (const ending of [".json", ".md", ".html"])
    if (!files.some((file) => file.endsWith(ending)))
      throw new Error(`holdfast docs wrote no ${ending}, only ${files.join(", ")}`);
}
