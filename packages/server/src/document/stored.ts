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

export interface Place {
  readonly offset: number;
  readonly id: string;
}

/**
 * A document as it was read: the broker's text of it is named by the publication that has brought
 * it.
 */
export interface Found {
  readonly kept: StoredDocument | undefined;
  /** Why what there is can be none. It can be replaced and deleted, and nothing else. */
  readonly fault: HoldfastError | undefined;
  readonly version: number;
  readonly id: string;
  readonly position: Place;
}

/** How long a channel that nobody has written to is remembered when its document is asked for. */
const UNWRITTEN_MS = 600_000;

/**
 * Documents where they are: in the broker, and where that has none, in the application's database.
 */
export class StoredDocuments {
  readonly #parts: StoredDocumentsParts;
  readonly #known = new KnownDocuments();
  readonly #loads = new Map<string, Promise<Found>>();

  constructor(parts: StoredDocumentsParts) {
    this.#parts = parts;
  }

  /**
   * As the broker has it; as the application has it, where the broker has none, or nothing that is
   * a document.
   */
  async find(id: ChannelId): Promise<Found> {
    const found = await this.read(id);
    if (found.kept || !this.#parts.database.canLoad(id)) return found;
    // For all who miss it at once: the database is not asked by each, and they do not compete for
    // who brings it.
    return singleFlight(this.#loads, id.wire, () => this.#bring(id, found));
  }

  /** Stores what has become of what was found, and says where. Undefined: others were first. */
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

  /** Brings what the application has of it to the broker. */
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
        // Others may have set it meanwhile, and then nobody needs the database.
        const now = await this.read(id).catch(() => found);
        if (now.kept) return now;
        // It can be replaced and deleted all the same.
        if (missing.fault) return missing;
        throw error;
      }
      this.#parts.stats.stateConflicts++;
      await this.#parts.queue.overtaken(id.wire, tries, since);
      found = await this.read(id);
      if (found.kept) return found;
    }
  }

  /** As the broker has it. */
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
      const fault = new HoldfastError("INTERNAL", `The document of ${wire} in the broker is none of ours.`, {
        field: "document",
        remedy: "Replace it with set, or delete it.",
        cause,
      });
      return { kept: undefined, fault, version: 0, id, position };
    }
  }

  /**
   * The broker has not answered, and may have stored it all the same. It is asked once more:
   * whoever is told that a change was not made makes it again.
   *
   * @throws the error, where it is not known to be stored
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
