import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const script = fileURLToPath(new URL("./warden.mjs", import.meta.url));
const sleeper = () => spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true });

test("[EX11] when the server's end of the pipe closes, the warden kills the watched processes and no released process", async () => {
  const warden = spawn(process.execPath, [script], { stdio: ["pipe", "ignore", "inherit"] });
  const gone = once(warden, "exit");
  const watched = sleeper();
  const released = sleeper();
  warden.stdin.end(`+${watched.pid}\n+${released.pid}\n-${released.pid}\n`);

  const [, signal] = await once(watched, "exit");
  expect(signal).toBe("SIGKILL");
  const [code] = await gone;
  expect(code).toBe(0);

  expect(released.exitCode ?? released.signalCode).toBeNull();
  released.kill("SIGKILL");
  await once(released, "exit");
});

test("[EX11] the warden ignores SIGINT, SIGTERM and SIGHUP, and still kills the watched process", async () => {
  const warden = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
  await once(warden.stdout, "data");
  const watched = sleeper();
  warden.stdin.write(`+${watched.pid}\n`);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) warden.kill(signal);
  warden.stdin.end();
  const [, signal] = await once(watched, "exit");
  expect(signal).toBe("SIGKILL");
});
