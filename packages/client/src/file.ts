import { readlinkSync, realpathSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { HoldfastError } from "@holdfast/protocol";
import type { PositionStorage } from "./keep-positions.js";

export type { PositionStorage };

/**
 * Stores positions in a file, for Node: `keepPositions(fileStorage("positions.json"))`. The file
 * contains a JSON object of strings and is created by the first write; its folder must exist. Each
 * write replaces the whole file atomically, so a killed process leaves either the old or the new
 * file. Only one client may use the file at a time. In one process, `createClient` throws
 * INVALID_OPTION for a second client until the first client is disconnected. Two processes must not
 * share the file.
 *
 * If the file is missing, `getItem` resolves with null. If the file cannot be read or has other
 * content, `getItem` rejects, and the next `setItem` replaces the file.
 */
export function fileStorage(path: string): PositionStorage {
  const target = realPath(resolve(path));
  const file = files().get(target) ?? { isOpen: false, items: undefined, writing: Promise.resolve() };
  files().set(target, file);

  const write = async (key: string, value: string): Promise<void> => {
    file.items ??= await read(target).catch((): Items => new Map());
    file.items.set(key, value);
    const temporary = `${target}.tmp`;
    // Flushed, because after a power failure the renamed file could otherwise be empty.
    await writeFile(temporary, JSON.stringify(Object.fromEntries(file.items)), { flush: true });
    await rename(temporary, target);
  };

  return {
    open() {
      if (file.isOpen)
        throw new HoldfastError(
          "INVALID_OPTION",
          `positions: ${target} is already used by another client of this process.`,
          {
            field: "positions",
            remedy: "Give each client its own file, or disconnect the other client first.",
          },
        );
      file.isOpen = true;
      return () => void (file.isOpen = false);
    },
    async getItem(key) {
      // The previous client may still be writing.
      await file.writing;
      return (await read(target)).get(key) ?? null;
    },
    setItem(key, value) {
      const written = file.writing.then(() => write(key, value));
      // The caller receives a failed write. The next write must still run.
      file.writing = written.catch(() => undefined);
      return written;
    },
  };
}

/** The state of a file, shared by all storages of the file. */
interface File {
  isOpen: boolean;
  items: Items | undefined;
  writing: Promise<void>;
}

type Items = Map<string, string>;

const FILES = Symbol.for("holdfast.files");

/** One map per process, because ESM and CommonJS may both load this module. */
function files(): Map<string, File> {
  const shared = globalThis as { [FILES]?: Map<string, File> };
  return (shared[FILES] ??= new Map());
}

/**
 * Returns the canonical path of a file. The file need not exist. Different paths to one file give
 * the same result.
 */
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

/** The target of a symbolic link whose file does not exist. Undefined for any other path. */
function linkedTo(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** @throws Error if the file cannot be read or has other content */
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
    throw new Error(`${path} is damaged: expected valid JSON.`, { cause });
  }
  if (!isTexts(found)) throw new Error(`${path} is damaged: expected a JSON object of strings.`);
  return new Map(Object.entries(found));
}

function isTexts(value: unknown): value is { [key: string]: string } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((text) => typeof text === "string");
}
