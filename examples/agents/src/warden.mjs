import { createInterface } from "node:readline";

/**
 * Kills the agents of a server that is gone. The warden reads on standard input which processes run
 * ("+123") and which have ended ("-123"). When the input ends, the server has ended, for whatever
 * reason, and the warden kills the remaining processes. The server cannot do this itself, because
 * no code runs after SIGKILL.
 */

// Ctrl-C is for the server, which ends its agents gracefully and then closes this input.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});
console.log("watching");

const living = new Set();

for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1));
  if (line.startsWith("+")) living.add(pid);
  else living.delete(pid);
}

for (const pid of living) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The process has already ended.
  }
}
