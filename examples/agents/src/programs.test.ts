import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findPrograms } from "./programs.js";

test("[EX4] choose refuses a program that is not listed, and the error contains the listed programs", async () => {
  const programs = await findPrograms("");
  for (const program of ["rm", "/bin/sh", "primes.mjs", "../programs/primes.mjs", "constructor", "__proto__", ""]) {
    const choice = programs.choose(program);
    expect(choice).toMatchObject({ ok: false, code: "UNKNOWN_PROGRAM", data: { program } });
    expect(choice.ok === false && choice.code === "UNKNOWN_PROGRAM" && choice.data.known).toContain("primes");
  }
});

test("[EX4] choose maps a choice to listed arguments and never passes the caller's text as an argument", async () => {
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

test("[EX4] choose refuses an option that the program does not have", async () => {
  const programs = await findPrograms("");
  expect(programs.choose("count-words", { pace: "eager" })).toMatchObject({ ok: false, code: "UNKNOWN_CHOICE" });
  expect(programs.choose("primes", { __proto__x: "1" })).toMatchObject({ ok: false, code: "UNKNOWN_CHOICE" });
});

test("[EX4] choose uses the default of an omitted option, and the launch contains the default", async () => {
  const choice = (await findPrograms("")).choose("hash-files");
  expect(choice.ok && choice.launch.options).toEqual({ algorithm: "sha256" });
});

test("[EX5] findPrograms lists a system tool only if its executable is found", async () => {
  const folder = await mkdtemp(join(tmpdir(), "agents-tools-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const ids = async () => (await findPrograms(folder)).list.map(({ id }) => id);
  expect(await ids()).not.toContain("vmstat");

  await writeFile(join(folder, "vmstat"), "");
  // The file is not executable.
  expect(await ids()).not.toContain("vmstat");

  await chmod(join(folder, "vmstat"), 0o755);
  expect((await ids()).includes("vmstat")).toBe(process.platform === "linux");
});

test("[EX5] node can parse every listed script", async () => {
  const programs = await findPrograms("");
  const scripts = programs.list.map(({ id }) => {
    const choice = programs.choose(id);
    return choice.ok ? (choice.launch.arguments.find((argument) => argument.endsWith(".mjs")) ?? "") : "";
  });
  expect(scripts.length).toBeGreaterThan(3);
  for (const script of scripts) expect(() => execFileSync(process.execPath, ["--check", script])).not.toThrow();
});
