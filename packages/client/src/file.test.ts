import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { fileStorage } from "./file.js";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function inFolder(text?: string) {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-file-"));
  folders.push(folder);
  const path = join(folder, "positions.json");
  if (text !== undefined) await writeFile(path, text);
  return { folder, path, storage: fileStorage(path) };
}

test("[RS18] Nothing is kept where there is no file; what is kept is there for the next process", async () => {
  const { folder, path, storage } = await inFolder();
  expect(await storage.getItem("a")).toBeNull();
  await storage.setItem("a", "1");
  await storage.setItem("__proto__", "2");
  const next = fileStorage(path);
  expect(await next.getItem("a")).toBe("1");
  expect(await next.getItem("__proto__")).toBe("2");
  expect(await next.getItem("constructor")).toBeNull();
  // The temporary file has become the file.
  expect(await readdir(folder)).toEqual(["positions.json"]);
});

test("[RS18] Writes that overlap take their turns, and the last one stays", async () => {
  const { path, storage } = await inFolder('{"other":"kept"}');
  await Promise.all(Array.from({ length: 20 }, (_, index) => storage.setItem("a", String(index))));
  expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ other: "kept", a: "19" });
});

test.each([
  ["rubbish", "JSON"],
  ["", "JSON"],
  ["null", "something else"],
  ['{"a":1}', "something else"],
])("[RS18] A file that holds %j rejects, and is replaced", async (text, reason) => {
  const { path, storage } = await inFolder(text);
  await expect(storage.getItem("a")).rejects.toThrow(reason);
  await storage.setItem("a", "1");
  expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ a: "1" });
});

test("[RS18] Where the folder is missing, keeping rejects, each time", async () => {
  const storage = fileStorage("/nowhere/at/all/positions.json");
  await expect(storage.setItem("a", "1")).rejects.toMatchObject({ code: "ENOENT" });
  await expect(storage.setItem("a", "2")).rejects.toMatchObject({ code: "ENOENT" });
  expect(await storage.getItem("a")).toBeNull();
});
