import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findPrograms } from "./programs.js";

test("[EX4] A program that is not on the list is refused, and the refusal names those that are.", async () => {
  const programs = await findPrograms("");
  for (const program of ["rm", "/bin/sh", "primes.mjs", "../programs/primes.mjs", "constructor", "__proto__", ""]) {
    const choice = programs.choose(program);
    expect(choice).toMatchObject({ ok: false, code: "UNKNOWN_PROGRAM", data: { program } });
    expect(choice.ok === false && choice.code === "UNKNOWN_PROGRAM" && choice.data.known).toContain("primes");
  }
});

test("[EX4] A choice selects arguments of the list; text of the caller never becomes one.", async () => {
  const programs = await findPrograms("");
  const eager = programs.choose("primes", { pace: "eager" });
  expect(eager.ok && eager.launch.arguments.at(-1)).toBe("--busy=90");
  for (const choice of ["--eval=process.exit()", "gentle; rm -rf /", "constructor", ""]) {
    expect(programs.choose("primes", { pace: choice })).toMatchObject({
      ok: false,
      code: "UNKNOWN_CHOICE",
      data: { option: "pace", choice, allowed: ["gentle", "steady", "eager"] },
    });
  }
});

test("[EX4] An option the program does not have is refused.", async () => {
  const programs = await findPrograms("");
  expect(programs.choose("count-words", { pace: "eager" })).toMatchObject({ ok: false, code: "UNKNOWN_CHOICE" });
  expect(programs.choose("primes", { __proto__x: "1" })).toMatchObject({ ok: false, code: "UNKNOWN_CHOICE" });
});

test("[EX4] An option left out takes its default, and the launch says which.", async () => {
  const choice = (await findPrograms("")).choose("hash-files");
  expect(choice.ok && choice.launch.options).toEqual({ algorithm: "sha256" });
});

test("[EX5] A system tool is offered only where it is found.", async () => {
  const folder = await mkdtemp(join(tmpdir(), "agents-tools-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const ids = async () => (await findPrograms(folder)).list.map(({ id }) => id);
  expect(await ids()).not.toContain("vmstat");

  await writeFile(join(folder, "vmstat"), "");
  // A file that cannot be run is no tool.
  expect(await ids()).not.toContain("vmstat");

  await chmod(join(folder, "vmstat"), 0o755);
  expect((await ids()).includes("vmstat")).toBe(process.platform === "linux");
});

test("[EX5] Every listed script is a program that node can read.", async () => {
  const programs = await findPrograms("");
  const scripts = programs.list.map(({ id }) => {
    const choice = programs.choose(id);
    return choice.ok ? (choice.launch.arguments.find((argument) => argument.endsWith(".mjs")) ?? "") : "";
  });
  expect(scripts.length).toBeGreaterThan(3);
  for (const script of scripts) expect(() => execFileSync(process.execPath, ["--check", script])).not.toThrow();
});
