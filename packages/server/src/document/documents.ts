import { type ChannelId, HoldfastError } from "@holdfast/protocol";
import type { BrokerLink } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import type { Stats } from "../observe/stats.js";
import { RetryQueue } from "../async/retry-queue.js";
import { changedContent } from "./change.js";
import { contentOf, valueOf } from "./content.js";
import type { Database } from "./database.js";
import { changeText, type StoredDocument, keptText } from "./document.js";
import { singleFlight } from "../async/single-flight.js";
import { type Found, type Place, StoredDocuments } from "./stored.js";
import { DocumentQueue } from "./document-queue.js";

/** What came of a change. */
export interface DocumentWritten<State = unknown> {
  /** The document as it is now. The caller's own: it may be changed. */
  readonly document: State;
  /**
   * One more with each change, from 1 or from what was loaded. The same as before where the change
   * changed nothing.
   */
  readonly version: number;
  /**
   * The place of the change in the channel's chain; where nothing has changed, where the channel
   * stands.
   */
  readonly offset: number;
  readonly id: string;
  /** How many connections of this process are on the channel. */
  readonly delivered: number;
}

export interface DocumentsParts {
  readonly link: BrokerLink;
  readonly environment: ServerEnvironment;
  readonly stats: Stats;
  readonly database: Database;
  /** What a document may take as JSON, in bytes. */
  readonly mostBytes: number;
  readonly members: DocumentMembers;
}

/** The connections of this instance on the channels of documents. */
export interface DocumentMembers {
  /**
   * Resolves when they have the publication at this offset; undefined if they have it or there are
   * none.
   */
  expect(channel: string, offset: number): Promise<void> | undefined;
  size(id: ChannelId): number;
}

/** What is there after a change, and where; also where it has changed nothing. */
interface Written {
  readonly kept: StoredDocument;
  readonly at: Place;
}

/**
 * A change that has waited so long for a document in vain tells those that wait behind it, which
 * would do the same.
 */
const IN_VAIN_MS = 500;

/**
 * The documents of channels, as the application reads and writes them: always those of the broker.
 * A change is made of what is there, and stored only if that is still there; otherwise it is made
 * again of what has come.
 */
export class Documents {
  readonly #parts: DocumentsParts;
  readonly #queue: DocumentQueue;
  readonly #stored: StoredDocuments;
  readonly #joins = new Map<string, Promise<void>>();
  /**
   * Whose last change the broker has not answered for. It may have it all the same, and then the
   * database does not.
   */
  readonly #unsure: RetryQueue<ChannelId>;
  /** Until all who are concerned have them: members here, and the application's database. */
  readonly #changes = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(parts: DocumentsParts) {
    this.#parts = parts;
    this.#queue = new DocumentQueue(parts.environment);
    this.#stored = new StoredDocuments({ ...parts, queue: this.#queue });
    this.#unsure = new RetryQueue<ChannelId>(parts.environment, (id) => this.#saveAgain(id));
  }

  /**
   * @throws HoldfastError (rejects) UNAVAILABLE, INTERNAL, INVALID_VALUE of what was loaded; or
   *   what `load` throws
   */
  async get(id: ChannelId): Promise<unknown> {
    const { kept } = sound(await this.#stored.find(id));
    return kept?.name === "there" ? valueOf(id, kept.content) : undefined;
  }

  /**
   * Sees to it that the broker has the document, where the application can load it. Rejects as
   * `get` does.
   */
  load(id: ChannelId): Promise<void> | undefined {
    if (!this.#parts.database.canLoad(id)) return undefined;
    return singleFlight(this.#joins, id.wire, async () => {
      const { position } = sound(await this.#stored.find(id));
      await this.#parts.members.expect(id.wire, position.offset);
    });
  }

  async set(id: ChannelId, value: unknown): Promise<DocumentWritten> {
    const content = contentOf(id, value, this.#parts.mostBytes);
    const written = await this.#change(id, ({ version }) => ({ name: "there", version: version + 1, content }));
    return this.#written(id, written!);
  }

  /**
   * Undefined: there is one already. NOT_SAVED is for the caller whose document it is: no other may
   * believe that it is theirs.
   */
  async create(id: ChannelId, value: unknown): Promise<DocumentWritten | undefined> {
    const content = contentOf(id, value, this.#parts.mostBytes);
    let isNew = false;
    const written = await this.#change(id, (found) => {
      const { kept, version } = sound(found);
      isNew = kept?.name !== "there";
      return isNew ? { name: "there", version: version + 1, content } : kept;
    }).catch((error: unknown) => {
      if (isNew || !(error instanceof HoldfastError) || error.code !== "NOT_SAVED") throw error;
      return undefined;
    });
    return isNew ? this.#written(id, written!) : undefined;
  }

  async update(id: ChannelId, change: (draft: unknown) => unknown): Promise<DocumentWritten> {
    const next = (found: Found): StoredDocument => {
      const { kept } = sound(found);
      if (kept?.name !== "there")
        throw new HoldfastError("DOCUMENT_NOT_FOUND", `${id.wire} has no document.`, {
          field: "document",
          remedy: "Call set first.",
        });
      const content = changedContent(id, kept.content, change, this.#parts.mostBytes);
      return { name: "there", version: kept.version + 1, content };
    };
    return this.#written(id, (await this.#change(id, next))!);
  }

  /** Whether there was one. */
  async delete(id: ChannelId, reason: string): Promise<boolean> {
    let wasThere = false;
    await this.#change(id, ({ kept, fault, version }) => {
      wasThere = kept?.name === "there" || fault !== undefined;
      return wasThere ? { name: "deleted", version: version + 1, reason } : kept;
    });
    return wasThere;
  }

  /**
   * Resolves when no change is under way any more, and all is saved, or that was tried for so long.
   */
  async idle(limitMs: number): Promise<void> {
    while (this.#changes.size > 0 && !this.#isClosed) await Promise.allSettled(this.#changes);
    await this.#unsure.drained(limitMs);
  }

  /** Whether the last change of a document may not have been saved. */
  close(): boolean {
    const { isBusy } = this.#unsure;
    this.#isClosed = true;
    this.#unsure.close();
    return isBusy;
  }

  /** `next` makes of what is there what is to be there: undefined where there is nothing to do. */
  #change(id: ChannelId, next: (found: Found) => StoredDocument | undefined): Promise<Written | undefined> {
    const running = this.#queue
      .run(id.wire, () => this.#write(id, next))
      .then(async (written) => {
        if (written) await this.#finish(id, written);
        return written;
      })
      .finally(() => this.#changes.delete(running));
    this.#changes.add(running);
    return running;
  }

  async #write(id: ChannelId, next: (found: Found) => StoredDocument | undefined): Promise<Written | undefined> {
    for (let tries = 1; ; tries++) {
      const since = this.#parts.environment.monotonic();
      const found = await this.#stored.find(id).catch((error: unknown) => {
        // What has just been cut off may be there again for the next; whoever has waited for it
        // spares the others that.
        if (this.#parts.environment.monotonic() - since >= IN_VAIN_MS) this.#queue.giveUp(id.wire, error);
        throw error;
      });
      const kept = next(found);
      if (!kept) return undefined;
      const text = keptText(kept);
      const body = kept === found.kept ? undefined : changeText(found.kept, kept, text);
      if (body === undefined) return { kept: found.kept!, at: found.position };
      const at = await this.#stored.store(id, found, kept, text, body).catch((error: unknown) => {
        if (this.#parts.database.canSave(id)) this.#unsure.enqueue(id);
        throw error;
      });
      if (at) return { kept, at };
      this.#parts.stats.stateConflicts++;
      await this.#queue.overtaken(id.wire, tries, since);
    }
  }

  async #saveAgain(id: ChannelId): Promise<void> {
    const { kept } = await this.#stored.read(id);
    if (kept) await this.#parts.database.save(id, kept);
  }

  #written(id: ChannelId, { kept, at }: Written): DocumentWritten {
    const state = kept.name === "there" ? valueOf(id, kept.content) : undefined;
    return {
      document: state,
      version: kept.version,
      offset: at.offset,
      id: at.id,
      delivered: this.#parts.members.size(id),
    };
  }

  /**
   * Before a change resolves, so that whoever then answers a request can rely on it, those on the
   * channel have it, and so has the application's database: also where nothing has changed, because
   * it may not have been saved the last time. Others may change it meanwhile: a slow database holds
   * up nobody but those who wait for it.
   */
  async #finish(id: ChannelId, { kept, at }: Written): Promise<void> {
    await this.#parts.members.expect(id.wire, at.offset);
    await this.#parts.database.save(id, kept);
  }
}

function sound(found: Found): Found {
  if (found.fault) throw found.fault;
  return found;
}
