import { type Cancel, type ChannelId, HoldfastError } from "@holdfast/protocol";
import { type ServerEnvironment, inTime, isThenable } from "../environment.js";
import { contentOf, valueOf } from "./content.js";
import type { StoredDocument } from "./document.js";
import { KEEP_MS, type LoadedDocument, type DocumentHooks } from "./document-hooks.js";
import { LatestOnly } from "../async/latest-only.js";

export interface DatabaseParts {
  readonly environment: ServerEnvironment;
  readonly hooks: ReadonlyMap<string, DocumentHooks>;
  /** How long a hook may take, in milliseconds. */
  readonly timeoutMs: number;
  /** The largest document, in bytes of JSON. */
  readonly mostBytes: number;
}

/** The document that `load` returned, or the reason why it is invalid. */
export interface LoadedContent {
  readonly version: number;
  readonly kept: StoredDocument | undefined;
  readonly fault: HoldfastError | undefined;
}

/**
 * The highest version that `load` may return. Beyond 2^53, versions could not be told apart, so
 * 2^52 leaves room for every later change.
 */
const MOST_VERSION = 2 ** 52;

/**
 * The application's own database, reached through the hooks `load` and `save`. Every hook has a
 * time limit, so that a database that does not answer does not block a caller forever.
 */
export class Database {
  readonly #parts: DatabaseParts;
  readonly #saves = new LatestOnly();
  /** Cancels the waits for hooks that have not answered yet. */
  readonly #waiting = new Set<Cancel>();
  #isClosed = false;

  constructor(parts: DatabaseParts) {
    this.#parts = parts;
  }

  canLoad(id: ChannelId): boolean {
    return this.#hooksOf(id).load !== undefined;
  }

  canSave(id: ChannelId): boolean {
    return this.#hooksOf(id).save !== undefined;
  }

  keepMs(id: ChannelId): number {
    return this.#hooksOf(id).keepMs ?? KEEP_MS;
  }

  /**
   * Resolves with undefined if there is no `load` hook, or the hook finds no document.
   *
   * @throws HoldfastError (rejects) UNAVAILABLE if `load` takes too long or the server is closed;
   *   and every error of `load`
   */
  async load(id: ChannelId): Promise<LoadedContent | undefined> {
    // Called as methods, because the hooks may be an instance of a class.
    const hooks = this.#hooksOf(id);
    const loaded = hooks.load && (await this.#inTime(id, "load", () => hooks.load!({ key: id.key })));
    if (!loaded) return undefined;
    const isThere = loaded.document !== undefined && loaded.document !== null;
    if (!isThere && loaded.version === undefined) return undefined;
    let version = 0;
    try {
      version = versionOf(id, loaded.version);
      if (!isThere) return { version, kept: { name: "deleted", version, reason: "deleted" }, fault: undefined };
      const content = contentOf(id, loaded.document, this.#parts.mostBytes, "cannot be loaded");
      return { version, kept: { name: "there", version, content }, fault: undefined };
    } catch (fault) {
      return { version, kept: undefined, fault: fault as HoldfastError };
    }
  }

  /**
   * Passes a version of the document to the `save` hook, if there is one.
   *
   * @throws HoldfastError (rejects) NOT_SAVED
   */
  async save(id: ChannelId, kept: StoredDocument): Promise<void> {
    const hooks = this.#hooksOf(id);
    if (!hooks.save) return;
    const { wire, key } = id;
    const { version } = kept;
    try {
      await this.#saves.save(wire, () => {
        const document = kept.name === "there" ? valueOf(id, kept.content) : undefined;
        return this.#inTime(id, "save", () => hooks.save!({ key, version, document }));
      });
    } catch (cause) {
      const text = `${wire}: version ${version} of the document was stored and announced, but the save hook failed.`;
      throw new HoldfastError("NOT_SAVED", text, {
        field: "document",
        remedy: "Correct the save hook. The next change saves the document, even if that change has no effect.",
        cause,
      });
    }
  }

  /** Abandons all running hooks and calls no further hooks. */
  close(): void {
    this.#isClosed = true;
    for (const giveUp of this.#waiting) giveUp();
    this.#waiting.clear();
  }

  #hooksOf({ contract }: ChannelId): DocumentHooks {
    return this.#parts.hooks.get(contract.name) ?? {};
  }

  async #inTime<Answer>({ wire }: ChannelId, name: string, ask: () => Answer): Promise<Awaited<Answer>> {
    const { environment, timeoutMs } = this.#parts;
    const unavailable = (what: string): HoldfastError =>
      new HoldfastError("UNAVAILABLE", `${wire}: ${name} ${what}`, { field: name });
    const closed = (): HoldfastError => unavailable("was abandoned, because the server is closed.");
    if (this.#isClosed) throw closed();
    const answer = ask();
    if (!isThenable(answer)) return answer as Awaited<Answer>;
    try {
      const late = (): HoldfastError => unavailable(`did not answer within ${timeoutMs} ms.`);
      return await inTime(answer as PromiseLike<Awaited<Answer>>, environment, timeoutMs, late, (giveUp) => {
        this.#waiting.add(giveUp);
        return () => void this.#waiting.delete(giveUp);
      });
    } catch (error) {
      throw this.#isClosed ? closed() : error;
    }
  }
}

function versionOf({ wire }: ChannelId, given: LoadedDocument<unknown>["version"] = 1): number {
  const version = typeof given === "bigint" || /^\d{1,16}$/.test(`${given}`) ? Number(given) : Number.NaN;
  if (version <= MOST_VERSION && version >= 0) return Math.max(1, version);
  throw new HoldfastError("INVALID_VALUE", `${wire}: load: version: expected a whole number from 0 to 2^52.`, {
    field: "version",
  });
}
