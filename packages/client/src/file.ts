import { readFile, rename, writeFile } from "node:fs/promises";
import type { PositionStorage } from "./keep-positions.js";

/**
 * Keeps positions in a file, for Node: `keepPositions(fileStorage("positions.json"))`. The file is a JSON object of texts,
 * made when something is first kept; its folder must exist. It is replaced as a whole, so that a process that is killed
 * leaves the file of before or the file of after. One process at a time may use it.
 *
 * Where the file is missing nothing is kept yet. Where it cannot be read, or holds something else, `getItem` rejects, and
 * the next `setItem` puts a new file in its place.
 */
export function fileStorage(path: string): PositionStorage {
  let items: Items | undefined;
  let writing: Promise<unknown> = Promise.resolve();

  const write = async (key: string, value: string): Promise<void> => {
    items ??= await read(path).catch((): Items => new Map());
    items.set(key, value);
    const temporary = `${path}.tmp`;
    // Flushed, or after a power failure the new name may stand for an empty file.
    await writeFile(temporary, JSON.stringify(Object.fromEntries(items)), { flush: true });
    await rename(temporary, path);
  };

  return {
    getItem: async (key) => (await read(path)).get(key) ?? null,
    setItem(key, value) {
      const written = writing.then(() => write(key, value));
      // One that fails is its caller's; the next one is tried all the same.
      writing = written.catch(() => undefined);
      return written;
    },
  };
}

type Items = Map<string, string>;

async function read(path: string): Promise<Items> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return new Map();
    throw error;
  }
  const found = JSON.parse(text) as unknown;
  if (!isTexts(found)) throw new Error(`${path} holds something else than texts.`);
  return new Map(Object.entries(found));
}

function isTexts(value: unknown): value is { [key: string]: string } {
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).every((text) => typeof text === "string");
}
