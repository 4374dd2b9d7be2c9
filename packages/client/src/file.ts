import { readlinkSync, realpathSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { HoldfastError } from "@holdfast/protocol";
import type { PositionStorage } from "./keep-positions.js";

export type { PositionStorage };

/**
 * Keeps positions in a file, for Node: `keepPositions(fileStorage("positions.json"))`. The file is
 * a JSON object of texts, made when something is first kept; its folder must exist. It is replaced
 * as a whole, so that a process that is killed leaves the file of before or the file of after. One
 * client at a time may use it: in one process `createClient` refuses a second one until the first
 * is disconnected; two processes must not share it.
 *
 * Where the file is missing nothing is kept yet. If it cannot be read, or holds something else,
 * `getItem` rejects, and the next `setItem` puts a new file in its place.
 */
export function fileStorage(path: string): PositionStorage {
  const target = realPath(resolve(path));
  const file = files().get(target) ?? { isOpen: false, items: undefined, writing: Promise.resolve() };
  files().set(target, file);

  const write = async (key: string, value: string): Promise<void> => {
    file.items ??= await read(target).catch((): Items => new Map());
    file.items.set(key, value);
    const temporary = `${target}.tmp`;
    // Flushed, or after a power failure the new name may stand for an empty file.
    await writeFile(temporary, JSON.stringify(Object.fromEntries(file.items)), { flush: true });
    await rename(temporary, target);
  };

  return {
    open() {
      if (file.isOpen)
        throw new HoldfastError("INVALID_OPTION", `positions: ${target} is in use by another client of this process.`, {
          field: "positions",
          remedy: "Give each client a file of its own, or disconnect the other one first.",
        });
      file.isOpen = true;
      return () => void (file.isOpen = false);
    },
    async getItem(key) {
      // The client before may still be writing.
      await file.writing;
      return (await read(target)).get(key) ?? null;
    },
    setItem(key, value) {
      const written = file.writing.then(() => write(key, value));
      // One that fails is its caller's; the next one is tried all the same.
      file.writing = written.catch(() => undefined);
      return written;
    },
  };
}

/** What is known of a file, whoever uses it. */
interface File {
  isOpen: boolean;
  items: Items | undefined;
  writing: Promise<void>;
}

type Items = Map<string, string>;

const FILES = Symbol.for("holdfast.files");

/** In the process once, though ESM and CommonJS load this module twice. */
function files(): Map<string, File> {
  const shared = globalThis as { [FILES]?: Map<string, File> };
  return (shared[FILES] ??= new Map());
}

/** One name for all paths to a file, which need not exist. */
function realPath(path: string, links = 0): string {
  try {
    return realpathSync.native(path);
  } catch {
    const linked = links < 40 ? linkedTo(path) : undefined;
    if (linked !== undefined) return realPath(resolve(dirname(path), linked), links + 1);
    const folder = dirname(path);
    return folder === path ? path : join(realPath(folder, links), basename(path));
  }
}

/** Where a link leads whose file does not exist; undefined for anything else. */
function linkedTo(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** @throws Error if there is something else than what was kept */
async function read(path: string): Promise<Items> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return new Map();
    throw error;
  }
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path} is damaged: it holds no valid JSON.`, { cause });
  }
  if (!isTexts(found)) throw new Error(`${path} is damaged: it holds something else than texts.`);
  return new Map(Object.entries(found));
}

function isTexts(value: unknown): value is { [key: string]: string } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((text) => typeof text === "string");
}
