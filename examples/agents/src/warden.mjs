import { createInterface } from "node:readline";

/**
 * Outlives the server by a moment. It is told on standard input which processes live ("+123") and
 * which have ended ("-123"); when that input ends, the server is gone, however it went, and what
 * still lives is killed. The server cannot do this itself: nobody runs code after SIGKILL.
 */

// Ctrl-C is the server's business; it ends its agents in good order and then closes this input.
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
    // Already gone.
  }
}
