#!/usr/bin/env node
import { run } from "./command.js";

const terminal = {
  out: (text: string) => void process.stdout.write(text),
  err: (text: string) => void process.stderr.write(text),
};

run(process.argv.slice(2), terminal).then(
  // Exits explicitly: the loaded file may have opened a socket or a timer that keeps the process
  // running.
  (code) => process.exit(code),
  (error: unknown) => {
    // This is a bug in the command. The stack helps to report the bug.
    terminal.err(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
