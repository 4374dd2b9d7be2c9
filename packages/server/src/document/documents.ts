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

/** The result of a change. */
export interface DocumentWritten<State = unknown> {
  /** The document after the change. This is your own copy, which you may change. */
  readonly document: State;
  /**
   * Starts at 1 or at the version that `load` returned, and rises by 1 with each change. Unchanged
   * if the call changed nothing.
   */
  readonly version: number;
  /**
   * The offset of the change in the channel's history. If nothing was changed, the channel's
   * current offset.
   */
  readonly offset: number;
  /** The id of the publication at `offset`. */
  readonly id: string;
  /** The number of this instance's connections that are subscribed to the channel. */
  readonly delivered: number;
}

export interface DocumentsParts {
  readonly link: BrokerLink;
  readonly environment: ServerEnvironment;
  readonly stats: Stats;
  readonly database: Database;
  /** The largest document, in bytes of JSON. */
  readonly mostBytes: number;
  readonly members: DocumentMembers;
}

/** The members of document channels on this instance. */
export interface DocumentMembers {
  /**
   * Resolves when the publication at this offset has been delivered to the members, or after 100
   * ms. Returns undefined if the delivery is already done, or if the channel is not open on this
   * instance.
   */
  expect(channel: string, offset: number): Promise<void> | undefined;
  size(id: ChannelId): number;
}

/**
 * The document after a change, and the position of the change. If nothing was changed, the
 * channel's current position.
 */
interface Written {
  readonly kept: StoredDocument;
  readonly at: Place;
}

/**
 * If reading a document fails after this time, the changes that wait in the queue are rejected too.
 * Each of these changes would wait as long in vain.
 */
const IN_VAIN_MS = 500;

/**
 * Reads and writes the documents of channels for the application, always in the broker. A change is
 * computed from the stored document and stored only if that document is still the current one.
 * Otherwise another instance was faster, and the change is computed again.
 */
export class Documents {
  readonly #parts: DocumentsParts;
  readonly #queue: DocumentQueue;
  readonly #stored: StoredDocuments;
  readonly #joins = new Map<string, Promise<void>>();
  /**
   * Documents whose latest change the broker did not confirm. The broker may have stored the change
   * without the application's database having it, so the stored document is saved again.
   */
  readonly #unsure: RetryQueue<ChannelId>;
  /**
   * The running changes. A change runs until the members on this instance and the application's
   * database have the change.
   */
  readonly #changes = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(parts: DocumentsParts) {
    this.#parts = parts;
    this.#queue = new DocumentQueue(parts.environment);
    this.#stored = new StoredDocuments({ ...parts, queue: this.#queue });
    this.#unsure = new RetryQueue<ChannelId>(parts.environment, (id) => this.#saveAgain(id));
  }

  /**
   * @throws HoldfastError (rejects) UNAVAILABLE; INTERNAL or INVALID_VALUE if the stored or loaded
   *   document is invalid; and every error of `load`
   */
  async get(id: ChannelId): Promise<unknown> {
    const { kept } = sound(await this.#stored.find(id));
    return kept?.name === "there" ? valueOf(id, kept.content) : undefined;
  }

  /**
   * Loads the document from the application's database into the broker if the broker has none.
   * Returns undefined if there is no `load` hook. Rejects like `get`.
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
   * Resolves with undefined if the document exists already. Only the call that created the document
   * rejects with NOT_SAVED, because this error tells the caller that the new document is stored.
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
        throw new HoldfastError("DOCUMENT_NOT_FOUND", `The channel ${id.wire} has no document.`, {
          field: "document",
          remedy: "Call `set` or `create` first.",
        });
      const content = changedContent(id, kept.content, change, this.#parts.mostBytes);
      return { name: "there", version: kept.version + 1, content };
    };
    return this.#written(id, (await this.#change(id, next))!);
  }

  /** Deletes the document. Resolves with whether there was a document. */
  async delete(id: ChannelId, reason: string): Promise<boolean> {
    let wasThere = false;
    await this.#change(id, ({ kept, fault, version }) => {
      wasThere = kept?.name === "there" || fault !== undefined;
      return wasThere ? { name: "deleted", version: version + 1, reason } : kept;
    });
    return wasThere;
  }

  /**
   * Resolves when no change is running and all documents are saved. Saving is retried for at most
   * `limitMs` milliseconds.
   */
  async idle(limitMs: number): Promise<void> {
    while (this.#changes.size > 0 && !this.#isClosed) await Promise.allSettled(this.#changes);
    await this.#unsure.drained(limitMs);
  }

  /** Returns true if the latest change of a document may not have been saved. */
  close(): boolean {
    const { isBusy } = this.#unsure;
    this.#isClosed = true;
    this.#unsure.close();
    return isBusy;
  }

  /**
   * Queues a change. `next` computes the new document from the stored one, or returns undefined if
   * there is nothing to do.
   */
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
        // A short failure may be over before the next change. After a long wait, the changes in the
        // queue are rejected too, so that they do not wait as long.
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
   * Waits until the members on this instance and the application's database have the change. A
   * handler that responds after its change resolved can rely on both. The document is saved even if
   * nothing was changed, because the previous save may have failed. Meanwhile other changes can
   * run: a slow database delays only the callers that wait for it.
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
