import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** The published packages, dependencies first. */
export const packages = ["protocol", "client", "server", "cli"];

/**
 * The environment of every started tool: the repository's binaries come first on the PATH, and
 * colour codes and telemetry are off.
 */
export function environment(extra = {}) {
  return {
    ...process.env,
    PATH: join(root, "node_modules", ".bin") + delimiter + process.env.PATH,
    NO_COLOR: "1",
    TURBO_TELEMETRY_DISABLED: "1",
    npm_config_loglevel: "error",
    npm_config_fund: "false",
    npm_config_audit: "false",
    npm_config_update_notifier: "false",
    ...extra,
  };
}

/**
 * Runs a program and collects its output. Never rejects: if a program cannot be started, the code
 * is 127. After `timeoutMs` (milliseconds) the program is killed.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined>, timeoutMs?: number }} [options]
 * @returns {Promise<{ code: number, output: string, stdout: string }>}
 */
export function run(command, args = [], { cwd = root, env = {}, timeoutMs = 600_000 } = {}) {
  return new Promise((resolve) => {
    // On Windows npm's binaries are .cmd files, which only a shell can start.
    const shell = process.platform === "win32";
    const child = spawn(command, args, { cwd, env: environment(env), shell, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let stdout = "";
    const late = setTimeout(() => {
      output += `\n${command} was stopped after ${timeoutMs / 1000} s.`;
      child.kill("SIGKILL");
    }, timeoutMs);
    child.stdout.on("data", (chunk) => {
      output += chunk;
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => (output += chunk));
    const end = (code) => {
      clearTimeout(late);
      resolve({ code, output: output.trim(), stdout });
    };
    child.on("error", (error) => {
      output += error.message;
      end(127);
    });
    child.on("close", (code) => end(code ?? 1));
  });
}

/**
 * Like `run`, but returns only stdout, and rejects with the program's whole output if the program
 * fails.
 */
export async function must(command, args = [], options = {}) {
  const result = await run(command, args, options);
  if (result.code !== 0) throw new Error(`${[command, ...args].join(" ")} failed:\n${result.output}`);
  return result.stdout;
}
