#!/usr/bin/env node
import { run } from "./docs/command.js";

const terminal = {
  out: (text: string) => void process.stdout.write(text),
  err: (text: string) => void process.stderr.write(text),
};

run(process.argv.slice(2), terminal).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    // Ours, not the caller's: the stack is what a report needs.
    terminal.err(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  },
);
