// Loaded into a server by a test: asked by a signal, it says how much processor time the process
// has used. Microseconds.
import { setFlagsFromString } from "node:v8";

// A process that falls idle is tidied up by V8, several times over half a minute: what starting and
// connecting have left behind.
setFlagsFromString("--no-memory-reducer");

process.on("SIGUSR2", () => {
  const { user, system } = process.cpuUsage();
  process.stdout.write(`cpu ${user + system}\n`);
});
