import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { answers, connected } from "../test/support/behaviours.js";
import { agents } from "../test/support/agents.js";
import { scriptedSockets } from "../test/support/scripted-socket.js";
import { createClient } from "./create-client.js";
import { fileStorage } from "./file.js";
import { keepPositions, type PositionStorage } from "./keep-positions.js";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, maxRetries: 5 });
});

async function inFolder(text?: string) {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-file-"));
  folders.push(folder);
  const path = join(folder, "positions.json");
  if (text !== undefined) await writeFile(path, text);
  return { folder, path, storage: fileStorage(path) };
}

test("[RS18] without a file, getItem() returns null; a stored value is available to the next process", async () => {
  const { folder, path, storage } = await inFolder();
  expect(await storage.getItem("a")).toBeNull();
  await storage.setItem("a", "1");
  await storage.setItem("__proto__", "2");
  const next = fileStorage(path);
  expect(await next.getItem("a")).toBe("1");
  expect(await next.getItem("__proto__")).toBe("2");
  expect(await next.getItem("constructor")).toBeNull();
  // The temporary file was renamed.
  expect(await readdir(folder)).toEqual(["positions.json"]);
});

test("[RS18] overlapping writes run one after the other, and the last write stays", async () => {
  const { path, storage } = await inFolder('{"other":"kept"}');
  await Promise.all(Array.from({ length: 20 }, (_, index) => storage.setItem("a", String(index))));
  expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ other: "kept", a: "19" });
});

test.each([
  "rubbish",
  "",
  '{"holdfast:agents:ws://localhost/ws":"[[',
  "[]",
  '["a"]',
  "7",
  '{"version":2,"positions":{}}',
  "null",
  '{"a":1}',
])("[RS18] if the file contains %j, getItem rejects and setItem replaces the file", async (text) => {
  const { path, storage } = await inFolder(text);
  await expect(storage.getItem("a")).rejects.toThrow(path);
  await storage.setItem("a", "1");
  expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ a: "1" });
});

test("[RS18] if the folder is missing, each write rejects", async () => {
  const storage = fileStorage("/nowhere/at/all/positions.json");
  await expect(storage.setItem("a", "1")).rejects.toMatchObject({ code: "ENOENT" });
  await expect(storage.setItem("a", "2")).rejects.toMatchObject({ code: "ENOENT" });
  expect(await storage.getItem("a")).toBeNull();
});

const KEY = "holdfast:agents:ws://localhost/ws";
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Creates a client that follows the journal on its own server, whose position is 4. */
function follower(storage: PositionStorage) {
  const position = { epoch: "e1", offset: 4, id: "i4" };
  const sockets = scriptedSockets(answers({ connected: connected(), subscribe: () => ({ position }) }));
  const client = createClient(agents, {
    url: "ws://localhost/ws",
    positions: keepPositions(storage),
    environment: { openSocket: sockets.openSocket },
  });
  const heard: unknown[] = [];
  const errors: unknown[] = [];
  client.onError((error) => errors.push(error));
  client.channel("journal").onReset(({ reason }) => heard.push(reason));
  ends.push(() => client.disconnect());
  return { client, heard, errors, sockets, journal: client.channel("journal") };
}

const damages: [string, string | undefined][] = [
  ["is cut in half", `{"${KEY}":"[[\\"journal\\",{\\"ep`],
  ["is empty", ""],
  ["is not JSON", "positions"],
  ["is a list", "[]"],
  ["is of another version", '{"version":2,"positions":[]}'],
  ["contains other strings", JSON.stringify({ [KEY]: "journal=4" })],
  ["contains other JSON", JSON.stringify({ [KEY]: '{"journal":4}' })],
  ["contains a position of another shape", JSON.stringify({ [KEY]: '[["journal",{"offset":4}]]' })],
  ["is a folder", undefined],
];

test.each(damages)(
  "[RS23] a positions file that %s leads to one onReset and one onError, and nothing throws",
  async (_, text) => {
    const { path } = await inFolder(text);
    if (text === undefined) await mkdir(path);
    const { heard, errors, journal } = follower(fileStorage(path));
    await journal.join();
    await vi.waitUntil(() => heard.length > 0);
    expect(heard).toEqual(["storage"]);
    expect(errors).toMatchObject([{ code: "HANDLER_FAILED" }]);
    if (text === undefined) return;
    await vi.waitUntil(async () => (await readFile(path, "utf8").catch(() => "")).includes("i4"));
  },
);

test("[RS24] createClient refuses a second client on one positions file, even if another path names the file", async () => {
  const { folder, path } = await inFolder();
  await symlink(path, join(folder, "link.json"));
  await symlink("link.json", join(folder, "link-to-link.json"));
  await symlink(folder, join(folder, "folder"));
  const storage = fileStorage(path);
  const first = follower(storage);
  const paths = [
    path,
    relative(process.cwd(), path),
    join(folder, "..", folder.split("/").at(-1)!, "positions.json"),
  ].concat(
    ["link.json", "link-to-link.json", "folder/positions.json", "folder/link.json"].map((name) => join(folder, name)),
  );
  const refusal = expect.objectContaining({
    code: "INVALID_OPTION",
    field: "positions",
    message: expect.stringContaining("positions.json"),
    remedy: expect.any(String),
  });
  for (const other of [storage, ...paths.map(fileStorage)]) expect(() => follower(other)).toThrow(refusal);
  // The refusal is the same when the file exists.
  await first.journal.join();
  await vi.waitUntil(async () => (await readdir(folder)).includes("positions.json"));
  for (const other of paths) expect(() => follower(fileStorage(other))).toThrow(refusal);
  expect(await readlink(join(folder, "link.json"))).toBe(path);
  expect(() => follower(fileStorage(join(folder, "other.json")))).not.toThrow();
});

test("[RS24] disconnect() writes the positions and releases the file at once; connect() reserves the file again, or reports an error if another client uses the file", async () => {
  const { path } = await inFolder();
  const first = follower(fileStorage(path));
  await first.journal.join();
  first.client.disconnect();
  const second = follower(fileStorage(path));
  await second.journal.join();
  // The second client resumes from the first client's position.
  expect(second.sockets.last.of("subscribe")[0]!.data.channels).toEqual([
    { channel: "journal", position: { epoch: "e1", offset: 4, id: "i4" } },
  ]);
  // If a handler of the first client finishes now, it writes nothing.
  first.client.connect();
  await first.journal.join();
  first.sockets.last.receive({
    type: "event",
    channel: "journal",
    event: "written",
    data: 5,
    metadata: { offset: 5, id: "i5", prev: "i4" },
  });
  await vi.waitUntil(() => first.errors.length > 0);
  expect(first.errors).toMatchObject([{ code: "INVALID_OPTION" }]);
  expect(await readFile(path, "utf8")).not.toContain("i5");
  second.client.disconnect();
  expect(() => follower(fileStorage(path))).not.toThrow();
});

test("[RS24] a position whose handler finishes after disconnect() is written, and the file is released again", async () => {
  const { path } = await inFolder();
  const first = follower(fileStorage(path));
  let finish: () => void = () => undefined;
  first.journal.on("written", () => new Promise<void>((resolve) => (finish = resolve)));
  await first.journal.join();
  first.sockets.last.receive({
    type: "event",
    channel: "journal",
    event: "written",
    data: 5,
    metadata: { offset: 5, id: "i5", prev: "i4" },
  });
  first.client.disconnect();
  finish();
  await vi.waitUntil(async () => (await readFile(path, "utf8").catch(() => "")).includes("i5"));
  await new Promise((resolve) => setTimeout(resolve, 20));
  const second = follower(fileStorage(path));
  await second.journal.join();
  expect(second.sockets.last.of("subscribe")[0]!.data.channels).toMatchObject([{ position: { id: "i5" } }]);
});
