import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import session, { type SessionData } from "express-session";
import { expect, onTestFinished, test } from "vitest";
import { FileStore, type FileStoreOptions } from "./session-store.js";

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "devices-store-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

function data(userId: string, endsAt = Date.now() + 60_000): SessionData {
  const cookie = Object.assign(new session.Cookie(), { expires: new Date(endsAt) });
  return { cookie, login: { id: `login of ${userId}`, userId } };
}

function callsOf(store: FileStore) {
  const set = promisify((sid: string, value: SessionData, done: (error?: unknown) => void) =>
    store.set(sid, value, done),
  );
  const get = promisify((sid: string, done: (error: unknown, found?: SessionData | null) => void) =>
    store.get(sid, done),
  );
  const destroy = promisify((sid: string, done: (error?: unknown) => void) => store.destroy(sid, done));
  return { set, get, destroy };
}

async function open(path: string, options?: FileStoreOptions) {
  const store = await FileStore.open(path, options);
  return { store, ...callsOf(store) };
}

test("[DX1] a store opened from the same file has the sessions that were set and not the sessions that were destroyed", async () => {
  const path = join(await folder(), "below", "sessions.json");
  const first = await open(path);
  await first.set("a", data("ada"));
  await first.set("b", data("grace"));
  await first.destroy("b");
  // The first store is not closed, as if the server had been killed.
  const second = await open(path);
  expect((await second.get("a"))?.login).toEqual({ id: "login of ada", userId: "ada" });
  expect(await second.get("b")).toBeUndefined();
  expect(second.store.find("a")?.cookie.expires).toEqual(expect.any(String));
});

test("[DX1] each of several concurrent calls of set is confirmed when its session is on disk", async () => {
  const path = join(await folder(), "sessions.json");
  const { set } = await open(path);
  const ids = Array.from({ length: 20 }, (_, index) => `s${index}`);
  await Promise.all(
    ids.map(async (sid) => {
      await set(sid, data(sid));
      expect(Object.keys(JSON.parse(await readFile(path, "utf8")) as object)).toContain(sid);
    }),
  );
});

test("[DX1] get does not return a session whose cookie has expired, and the next write removes the session from the file", async () => {
  const path = join(await folder(), "sessions.json");
  let now = Date.now();
  const { set, get } = await open(path, { now: () => now });
  await set("a", data("ada", now + 1_000));
  expect(await get("a")).toBeDefined();
  now += 1_000;
  expect(await get("a")).toBeUndefined();
  await set("b", data("grace", now + 1_000));
  expect(Object.keys(JSON.parse(await readFile(path, "utf8")) as object)).toEqual(["b"]);
});

test("[DX1] find returns a copy, and changing the copy does not change the stored session", async () => {
  const { set, store } = await open(join(await folder(), "sessions.json"));
  await set("a", data("ada"));
  const found = store.find("a");
  if (found) found.login = { id: "x", userId: "eve" };
  expect(store.find("a")?.login.userId).toBe("ada");
});

test("[DX1] the store keeps the newest `maximum` sessions, in a file that only the owner can read", async () => {
  const path = join(await folder(), "sessions.json");
  const { set, get } = await open(path, { maximum: 2 });
  for (const sid of ["a", "b", "c"]) await set(sid, data(sid));
  expect([await get("a"), await get("b"), await get("c")].map((found) => found?.login.userId)).toEqual([
    undefined,
    "b",
    "c",
  ]);
  expect((await stat(path)).mode & 0o077).toBe(0);
});

test("[DX1] set rejects a session without an expiry and a failed write, and open rejects an invalid file", async () => {
  const path = join(await folder(), "sessions.json");
  const { set } = await open(path);
  await expect(set("a", { ...data("ada"), cookie: new session.Cookie() })).rejects.toThrow(/maxAge/);
  await writeFile(path, '{"a": {}}');
  await expect(FileStore.open(path)).rejects.toThrow(/sessions\.json/);
  await rm(join(path, ".."), { recursive: true });
  await expect(set("b", data("grace"))).rejects.toThrow("ENOENT");
});
