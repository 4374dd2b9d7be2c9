import { type ChannelId, HoldfastError } from "@holdfast/protocol";
import type { BrokerLink } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import type { Stats } from "../observe/stats.js";
import type { Database } from "./database.js";
import { changeText, type StoredDocument, keptText, readKept } from "./document.js";
import { KnownDocuments } from "./known.js";
import { singleFlight } from "../async/single-flight.js";
import type { DocumentQueue } from "./document-queue.js";

export interface StoredDocumentsParts {
  readonly link: BrokerLink;
  readonly environment: ServerEnvironment;
  readonly stats: Stats;
  readonly database: Database;
  readonly queue: DocumentQueue;
}

/** The offset and id of a publication in the channel's chain. */
export interface Place {
  readonly offset: number;
  readonly id: string;
}

/**
 * The result of looking for a document. `id` is the id of the publication that stored the document
 * in the broker, or empty if the broker has no document.
 */
export interface Found {
  readonly kept: StoredDocument | undefined;
  /**
   * The reason why the found document is invalid. An invalid document can only be replaced or
   * deleted.
   */
  readonly fault: HoldfastError | undefined;
  readonly version: number;
  readonly id: string;
  readonly position: Place;
}

/** How long the broker remembers a channel without publications after its document was read. */
const UNWRITTEN_MS = 600_000;

/**
 * Reads and stores documents: in the broker, or in the application's database if the broker has
 * none.
 */
export class StoredDocuments {
  readonly #parts: StoredDocumentsParts;
  readonly #known = new KnownDocuments();
  readonly #loads = new Map<string, Promise<Found>>();

  constructor(parts: StoredDocumentsParts) {
    this.#parts = parts;
  }

  /**
   * Returns the document of the broker. If the broker has no valid document and there is a `load`
   * hook, loads the document from the application's database into the broker.
   */
  async find(id: ChannelId): Promise<Found> {
    const found = await this.read(id);
    if (found.kept || !this.#parts.database.canLoad(id)) return found;
    // One load for all concurrent callers: otherwise each would query the database, and they would
    // compete to store the result.
    return singleFlight(this.#loads, id.wire, () => this.#bring(id, found));
  }

  /**
   * Stores a new document if `found` is still the current one. Resolves with the position of the
   * change, or with undefined if another instance was faster.
   */
  async store(
    id: ChannelId,
    found: Found,
    kept: StoredDocument,
    text = keptText(kept),
    body = changeText(found.kept, kept, text)!,
  ): Promise<Place | undefined> {
    const { link, environment, stats, database } = this.#parts;
    const { wire, contract } = id;
    const name = environment.newId();
    const document = { text, expected: found.id, ttlMs: database.keepMs(id) };
    const appending = link.publish(wire, name, body, { log: contract.history, document });
    const { outcome, position } = await appending.catch((error: unknown) => this.#wasStored(id, name, found, error));
    if (outcome === "conflict") return undefined;
    stats.published++;
    stats.stateChanges++;
    this.#known.set(wire, { id: position!.id, kept }, text.length);
    return position;
  }

  /** Loads the document from the application's database and stores it in the broker. */
  async #bring(id: ChannelId, missing: Found): Promise<Found> {
    for (let [tries, found] = [1, missing]; ; tries++) {
      const since = this.#parts.environment.monotonic();
      try {
        const loaded = await this.#parts.database.load(id);
        if (!loaded) return found;
        const { kept, fault, version } = loaded;
        if (!kept) return { ...found, fault, version };
        const at = await this.store(id, found, kept);
        if (at) return { kept, fault, version, id: at.id, position: at };
      } catch (error) {
        // If the document was set meanwhile, the database is not needed.
        const now = await this.read(id).catch(() => found);
        if (now.kept) return now;
        // The invalid document of the broker can still be replaced or deleted.
        if (missing.fault) return missing;
        throw error;
      }
      this.#parts.stats.stateConflicts++;
      await this.#parts.queue.overtaken(id.wire, tries, since);
      found = await this.read(id);
      if (found.kept) return found;
    }
  }

  /** Reads the document of the broker. */
  async read({ wire }: ChannelId): Promise<Found> {
    const known = this.#known.get(wire);
    const asked = { document: true, known: known?.id, ttlMs: UNWRITTEN_MS };
    const { position, document, isKnown } = await this.#parts.link.read(wire, asked);
    if (isKnown) return { ...known!, version: known!.kept.version, fault: undefined, position };
    if (!document) return { kept: undefined, fault: undefined, version: 0, id: "", position };
    const { id, text } = document;
    try {
      const kept = readKept(text);
      this.#known.set(wire, { id, kept }, text.length);
      return { kept, fault: undefined, version: kept.version, id, position };
    } catch (cause) {
      const fault = new HoldfastError("INTERNAL", `The document of ${wire} in the broker is not a Holdfast document.`, {
        field: "document",
        remedy: "Replace the document with `set`, or `delete` it.",
        cause,
      });
      return { kept: undefined, fault, version: 0, id, position };
    }
  }

  /**
   * Called if storing failed. The change may have been stored all the same, so the broker is asked
   * once more: a caller that receives an error repeats the change.
   *
   * @throws the error, if the change is not known to be stored
   */
  async #wasStored({ wire, contract }: ChannelId, name: string, { position: before }: Found, error: unknown) {
    const log = { after: before.offset, most: contract.history!.size };
    const asked = { document: true, known: name, log, ttlMs: UNWRITTEN_MS };
    const now = await this.#parts.link.read(wire, asked).catch(() => undefined);
    const own = now?.events.find(({ link }) => link?.id === name)?.link;
    if (!own && !now?.isKnown) throw error;
    return { outcome: "appended", position: own ?? now!.position } as const;
  }
}
