import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { callbackify } from "node:util";
import session, { type SessionData } from "express-session";
import * as z from "zod/mini";

/** A session on disk: the data of express-session, including a cookie with an expiry. */
const kept = z.looseObject({ cookie: z.looseObject({ expires: z.iso.datetime() }) });
type Kept = z.output<typeof kept>;
const file = z.record(z.string(), kept);

export interface FileStoreOptions {
  /**
   * How many sessions are stored. If there are more, the session that was changed least recently is
   * removed. @default 1000
   */
  maximum?: number;
  /** The current time in milliseconds. @default Date.now */
  now?: () => number;
}

/**
 * Stores sessions of express-session in memory and in one JSON file. Each write replaces the file
 * atomically, and the store confirms a change when the file is on disk. A confirmed login therefore
 * survives a crash of the server at any time.
 *
 * The store has no `touch`: a session ends when its cookie expires, and the server does not send a
 * cookie again to extend it.
 */
export class FileStore extends session.Store {
  readonly #path: string;
  readonly #sessions: Map<string, Kept>;
  readonly #maximum: number;
  readonly #now: () => number;
  /** The current write, and the next write, which covers all changes made meanwhile. */
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  private constructor(
    path: string,
    sessions: Map<string, Kept>,
    { maximum = 1_000, now = Date.now }: FileStoreOptions,
  ) {
    super();
    this.#path = path;
    this.#sessions = sessions;
    this.#maximum = maximum;
    this.#now = now;
  }

  /**
   * Reads the file of an earlier server.
   *
   * @throws Error with a remedy if the file cannot be read
   */
  static async open(path: string, options: FileStoreOptions = {}): Promise<FileStore> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return new FileStore(path, new Map(Object.entries(await read(path))), options);
  }

  override get(sid: string, done: (error: unknown, found?: SessionData | null) => void): void {
    done(undefined, this.find(sid));
  }

  override set(sid: string, data: SessionData, done?: (error?: unknown) => void): void {
    // Deleted first, so that the map is ordered by the last change.
    this.#sessions.delete(sid);
    // Converts the data to JSON and validates it, so that data that could not be read after a
    // restart is rejected now.
    const checked = kept.safeParse(JSON.parse(JSON.stringify(data)));
    if (!checked.success)
      return done?.(new Error("A session without an expiry cannot be stored. Give its cookie a maxAge."));
    this.#sessions.set(sid, checked.data);
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined && this.#sessions.size > this.#maximum) this.#sessions.delete(oldest);
    this.#save(done);
  }

  override destroy(sid: string, done?: (error?: unknown) => void): void {
    if (!this.#sessions.delete(sid)) return done?.();
    this.#save(done);
  }

  /**
   * Finds a session for code outside of Express; undefined if the session has expired. Returns a
   * copy, because only `set` may change a session.
   */
  find(sid: string): SessionData | undefined {
    const found = this.#sessions.get(sid);
    if (!found || Date.parse(found.cookie.expires) <= this.#now()) return undefined;
    return structuredClone(found) as unknown as SessionData;
  }

  #save(done: (error?: unknown) => void = () => {}): void {
    // Calls `done` outside of the promise: if `done` throws, the store must not call `done` again
    // with that error.
    callbackify(() => this.#saved())(done);
  }

  /**
   * Resolves when all changes made so far are on disk. Changes that are made during a write share
   * the next write.
   */
  #saved(): Promise<void> {
    if (!this.#writing) return (this.#writing = this.#write().finally(() => (this.#writing = undefined)));
    return (this.#next ??= this.#writing
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.#saved();
      }));
  }

  async #write(): Promise<void> {
    const now = this.#now();
    for (const [sid, { cookie }] of this.#sessions) {
      if (Date.parse(cookie.expires) <= now) this.#sessions.delete(sid);
    }
    const text = `${JSON.stringify(Object.fromEntries(this.#sessions), null, 2)}\n`;
    // A session id is a credential, so no other user of this machine may read the file.
    await writeFile(`${this.#path}.new`, text, { mode: 0o600, flush: true });
    await rename(`${this.#path}.new`, this.#path);
  }
}

async function read(path: string): Promise<z.output<typeof file>> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (typeof error === "object" && error !== null && "code" in error && error.code === "ENOENT") return "{}";
    throw error;
  });
  try {
    return file.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`${path} does not contain sessions. Delete the file; all users must then log in again.`, { cause });
  }
}
