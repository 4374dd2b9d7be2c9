// A test loads this file into a server. At SIGUSR2, the server prints its CPU time in microseconds.
import { setFlagsFromString } from "node:v8";

// In the first half minute of idling, V8 collects the garbage of the start and of the connections.
// Without this flag, the test would measure that work too.
setFlagsFromString("--no-memory-reducer");

process.on("SIGUSR2", () => {
  const { user, system } = process.cpuUsage();
  process.stdout.write(`cpu ${user + system}\n`);
});
