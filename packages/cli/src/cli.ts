#!/usr/bin/env node
import { run } from "./command.js";

const terminal = {
  out: (text: string) => void process.stdout.write(text),
  err: (text: string) => void process.stderr.write(text),
};

run(process.argv.slice(2), terminal).then(
  // Not by letting it end: a file that is no protocol may have opened a socket or a timer when it
  // was loaded.
  (code) => process.exit(code),
  (error: unknown) => {
    // Ours, not the caller's: the stack is what a report needs.
    terminal.err(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
