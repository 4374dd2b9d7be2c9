/**
 * Finds the programs that some tests need and npm cannot install. On Debian, if run as root, the
 * script installs a missing program. Otherwise the message says how to install the program. Tests
 * receive the path in the environment variable that the table below names.
 *
 *   node scripts/programs.mjs chromium               installs Chromium if needed, and prints its path
 *   node scripts/programs.mjs chromium -- vitest …   runs a command that needs Chromium
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { environment, must, run } from "./run.mjs";

/**
 * The key of a program is also the part of a test file's name that asks for the program:
 * `restart.chromium.test.ts`. `variable` names the environment variable, and `debian` the packages;
 * if the first package cannot be installed, the next package is tried.
 */
export const programs = {
  chromium: {
    title: "Chromium",
    variable: "CHROMIUM",
    candidates: () => [
      // The headless shell comes first, because it draws the same pages in half of the processor
      // time.
      ...onPath(
        "chromium-headless-shell",
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
        "chrome",
        "microsoft-edge",
      ),
      "/Applications/Chromium.app/Contents/MacOS/Chromium",
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
      join(process.env.ProgramFiles ?? "C:\\Program Files", "Google\\Chrome\\Application\\chrome.exe"),
      join(process.env.LOCALAPPDATA ?? "C:\\", "Google\\Chrome\\Application\\chrome.exe"),
      ...playwrightCache(),
    ],
    // On Windows `chrome --version` opens a window, so the existence of the file must suffice. On
    // Ubuntu, the stub of a snap that is not installed exits with 1.
    works: async (path) => process.platform === "win32" || (await run(path, ["--version"])).code === 0,
    debian: ["chromium-headless-shell", "chromium"],
    remedy: "Install Chromium or Google Chrome, or set CHROMIUM to its path.",
  },
  redis: {
    title: "Redis",
    variable: "REDIS_SERVER",
    candidates: () => onPath("redis-server", "valkey-server"),
    works: async (path) => (await run(path, ["--version"])).code === 0,
    debian: ["redis-server"],
    remedy: "Install redis-server (7 or newer), or set REDIS_SERVER to its path.",
  },
  nginx: {
    title: "nginx",
    variable: "NGINX",
    // /usr/sbin/nginx is Debian's path; only root has this folder on the PATH.
    candidates: () => [...onPath("nginx"), "/usr/sbin/nginx"],
    works: async (path) => (await run(path, ["-v"])).code === 0,
    debian: ["nginx"],
    remedy: "Install nginx (1.18 or newer), or set NGINX to its path.",
  },
  python: {
    title: "Python with websockets",
    variable: "PYTHON",
    // /usr/bin first: Debian's python3-websockets works only with Debian's own Python.
    candidates: () => ["/usr/bin/python3", ...onPath("python3", "python")],
    works: async (path) => (await run(path, ["-c", "import websockets"])).code === 0,
    debian: ["python3-websockets"],
    remedy: "Run `python3 -m pip install websockets`, or set PYTHON to a Python 3 that has the package.",
  },
  cc: {
    title: "A C compiler",
    variable: "CC",
    // The compiled library is preloaded into another program. Tests use a way of preloading that
    // exists only on Linux.
    candidates: () => (process.platform === "linux" ? onPath("cc", "gcc", "clang") : []),
    works: async (path) => (await run(path, ["--version"])).code === 0,
    debian: ["gcc"],
    remedy: "Install gcc with the headers of the C library (Linux), or set CC to the path of a C compiler.",
  },
};

/**
 * @param {keyof typeof programs} name
 * @returns {Promise<{ path: string } | { missing: string }>} the path, or one line that says what
 *   to install
 */
export async function find(name) {
  const { title, variable, candidates, works, debian, remedy } = programs[name];
  const chosen = process.env[variable];
  if (chosen) {
    if (await works(chosen)) return { path: chosen };
    return { missing: `${title}: ${variable} is ${chosen}, which does not work. ${remedy}` };
  }
  const first = await firstWorking(candidates(), works);
  if (first) return { path: first };

  if (!isDebianRoot()) return { missing: `${title} was not found. ${remedy}` };
  for (const name of debian) {
    const reason = await install(name);
    const installed = reason === undefined ? await firstWorking(candidates(), works) : undefined;
    if (installed) return { path: installed };
    if (reason) process.stderr.write(`${reason}\n`);
  }
  const names = debian.join(" or ");
  return { missing: `${title} was not found and apt-get could not install ${names}. ${remedy}` };
}

async function firstWorking(paths, works) {
  for (const path of paths) if (existsSync(path) && (await works(path))) return path;
  return undefined;
}

function onPath(...names) {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const endings = process.platform === "win32" ? [".exe"] : [""];
  return names.flatMap((name) => folders.flatMap((folder) => endings.map((ending) => join(folder, name + ending))));
}

/** The paths of the browsers that `playwright install` may have downloaded, newest first. */
function playwrightCache() {
  const home = homedir();
  const cache =
    process.env.PLAYWRIGHT_BROWSERS_PATH ??
    { darwin: join(home, "Library/Caches/ms-playwright"), win32: join(home, "AppData\\Local\\ms-playwright") }[
      process.platform
    ] ??
    join(home, ".cache/ms-playwright");
  if (!existsSync(cache)) return [];
  const inside = [
    "chrome-linux/chrome",
    "chrome-linux64/chrome",
    "chrome-linux/headless_shell",
    "chrome-mac/Chromium.app/Contents/MacOS/Chromium",
    "chrome-mac-arm64/Chromium.app/Contents/MacOS/Chromium",
    "chrome-win/chrome.exe",
    "chrome-win64/chrome.exe",
  ];
  const folders = readdirSync(cache).filter((name) => name.startsWith("chromium"));
  folders.sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  return folders.flatMap((folder) => inside.map((path) => join(cache, folder, path)));
}

function isDebianRoot() {
  return process.platform === "linux" && existsSync("/etc/debian_version") && process.getuid?.() === 0;
}

/** apt-get takes a lock, so the installations of one run follow each other. */
let lastInstall = Promise.resolve();

/** @returns {Promise<string | undefined>} undefined, or the reason if the installation failed */
function install(debianPackage) {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const next = lastInstall.then(async () => {
    process.stderr.write(`Installing ${debianPackage} with apt-get ...\n`);
    try {
      await must("apt-get", ["update"], { env });
      await must("apt-get", ["install", "-y", "--no-install-recommends", debianPackage], { env });
      return undefined;
    } catch (error) {
      return error.message;
    }
  });
  lastInstall = next.then(() => undefined);
  return next;
}

async function main([name, separator, command, ...args]) {
  if (!Object.hasOwn(programs, name ?? "") || (separator !== undefined && (separator !== "--" || !command))) {
    console.error(`usage: node scripts/programs.mjs <${Object.keys(programs).join(" | ")}> [-- command ...]`);
    return 2;
  }
  const found = await find(name);
  if ("missing" in found) {
    console.error(found.missing);
    return 1;
  }
  if (!command) {
    console.log(found.path);
    return 0;
  }
  const env = environment({ [programs[name].variable]: found.path });
  const child = spawn(command, args, { stdio: "inherit", env, shell: process.platform === "win32" });
  return new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exitCode = await main(process.argv.slice(2));
