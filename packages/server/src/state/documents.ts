import { type ChannelId, HoldfastError } from "@holdfast/protocol";
import type { BrokerLink } from "../broker/broker.js";
import { type Environment, isThenable } from "../environment.js";
import type { Stats } from "../observe/stats.js";
import { contentOf, valueOf } from "./content.js";
import type { Database } from "./database.js";
import { changeText, type Kept, keptText, readKept } from "./document.js";
import { KnownDocuments } from "./known.js";
import { Turns } from "./turns.js";

/** What came of a change. */
export interface StateWritten<State = unknown> {
  /** The document as it is now. The caller's own: it may be changed. */
  readonly state: State;
  /** One more with each change, from 1 or from what was loaded. The same as before where the change changed nothing. */
  readonly version: number;
  /** The place of the change in the channel's chain; where nothing has changed, where the channel stands. */
  readonly offset: number;
  readonly id: string;
  /** How many connections of this process are on the channel. */
  readonly delivered: number;
}

export interface DocumentsParts {
  readonly link: BrokerLink;
  readonly environment: Environment;
  readonly stats: Stats;
  readonly database: Database;
  /** What a document may take as JSON, in bytes. */
  readonly mostBytes: number;
  /** Resolves when the members here have what stands at this offset; undefined: they have. */
  expect(channel: string, offset: number): Promise<void> | undefined;
  size(id: ChannelId): number;
}

interface Place {
  readonly offset: number;
  readonly id: string;
}

/** A document as it was read: the broker's text of it is named by the publication that has brought it. */
interface Found {
  readonly kept: Kept | undefined;
  /** Why what there is can be none. It can be replaced and deleted, and nothing else. */
  readonly fault: HoldfastError | undefined;
  readonly version: number;
  readonly id: string;
  readonly position: Place;
}

/** What is there after a change, and where; also where it has changed nothing. */
interface Written {
  readonly kept: Kept;
  readonly at: Place;
}

/** How long a channel that nobody has written to is remembered when its document is asked for. */
const UNWRITTEN_MS = 600_000;

/**
 * The documents of channels, as the application reads and writes them: always those of the broker. A change is made of what is
 * there, and stored only if that is still there; otherwise it is made again of what has come.
 */
export class Documents {
  readonly #parts: DocumentsParts;
  readonly #known = new KnownDocuments();
  readonly #turns: Turns;
  readonly #joins = new Map<string, Promise<void>>();
  readonly #loads = new Map<string, Promise<Found | undefined>>();
  /** Until all who are concerned have them: members here, and the application's database. */
  readonly #changes = new Set<Promise<unknown>>();

  constructor(parts: DocumentsParts) {
    this.#parts = parts;
    this.#turns = new Turns(parts.environment);
  }

  /** @throws HoldfastError (rejects) UNAVAILABLE, INTERNAL, INVALID_VALUE of what was loaded; or what `load` throws */
  async get(id: ChannelId): Promise<unknown> {
    const { kept } = sound(await this.#find(id));
    return kept?.name === "there" ? valueOf(id, kept.content) : undefined;
  }

  /** Sees to it that the broker has the document, where the application can load it. Rejects as `get` does. */
  load(id: ChannelId): Promise<void> | undefined {
    if (!this.#parts.database.canLoad(id)) return undefined;
    return once(this.#joins, id.wire, async () => {
      const { position } = sound(await this.#find(id));
      await this.#parts.expect(id.wire, position.offset);
    });
  }

  async set(id: ChannelId, value: unknown): Promise<StateWritten> {
    const content = contentOf(id, value, this.#parts.mostBytes);
    return this.#written(
      id,
      await this.#change(id, ({ version }) => ({ name: "there", version: version + 1, content })),
    );
  }

  async update(id: ChannelId, change: (draft: unknown) => unknown): Promise<StateWritten> {
    const next = (found: Found): Kept => {
      const { kept } = sound(found);
      if (kept?.name !== "there")
        throw new HoldfastError("NOT_FOUND", `${id.wire} has no document.`, {
          field: "state",
          remedy: "Call set first.",
        });
      const draft = valueOf(id, kept.content);
      const result = change(draft);
      if (isThenable(result)) {
        void Promise.resolve(result).catch(() => undefined);
        const text = `${id.wire}: update: the change must not be asynchronous.`;
        throw new HoldfastError("INVALID_VALUE", text, { field: "update", remedy: "Fetch what it needs before." });
      }
      // `(draft) => draft.count++` returns a number, and no document is one.
      const changed = typeof result === "object" && result !== null ? result : draft;
      const content = contentOf(id, changed, this.#parts.mostBytes);
      return { name: "there", version: kept.version + 1, content };
    };
    return this.#written(id, await this.#change(id, next));
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

  /** Resolves when the changes that are under way now are over. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#changes);
  }

  /** `next` makes of what is there what is to be there: undefined where there is nothing to do. */
  #change(id: ChannelId, next: (found: Found) => Kept | undefined): Promise<Written | undefined> {
    const running = this.#turns
      .run(id.wire, () => this.#write(id, next))
      .then(async (written) => {
        if (written) await this.#finish(id, written);
        return written;
      })
      .finally(() => this.#changes.delete(running));
    this.#changes.add(running);
    return running;
  }

  async #write(id: ChannelId, next: (found: Found) => Kept | undefined): Promise<Written | undefined> {
    for (let tries = 1; ; tries++) {
      const since = this.#parts.environment.now();
      const found = await this.#find(id);
      const kept = next(found);
      if (!kept) return undefined;
      const text = keptText(kept);
      const body = kept === found.kept ? undefined : changeText(found.kept, kept, text);
      if (body === undefined) return { kept: found.kept!, at: found.position };
      const at = await this.#store(id, found, kept, text, body);
      if (at) return { kept, at };
      await this.#overtaken(id, tries, since);
    }
  }

  #written(id: ChannelId, written: Written | undefined): StateWritten {
    const { kept, at } = written!;
    const state = kept.name === "there" ? valueOf(id, kept.content) : undefined;
    return { state, version: kept.version, offset: at.offset, id: at.id, delivered: this.#parts.size(id) };
  }

  /**
   * Before a change resolves, so that whoever then answers a request can rely on it, those on the channel have it, and so has the
   * application's database: also where nothing has changed, because it may not have been saved the last time. Others may change
   * it meanwhile: a slow database holds up nobody but those who wait for it.
   */
  async #finish(id: ChannelId, { kept, at }: Written): Promise<void> {
    await this.#parts.expect(id.wire, at.offset);
    await this.#parts.database.save(id, kept);
  }

  /** As the broker has it; as the application has it, where the broker has none. */
  async #find(id: ChannelId): Promise<Found> {
    for (let tries = 1; ; tries++) {
      const since = this.#parts.environment.now();
      const found = await this.#read(id);
      if (found.kept || found.fault) return found;
      // For all who miss it at once: the database is not asked by each, and they do not compete for who brings it.
      const loaded = await once(this.#loads, id.wire, () => this.#load(id, found));
      if (loaded) return loaded;
      await this.#overtaken(id, tries, since);
    }
  }

  /** Brings what the application has of it to the broker. Undefined: others were first. */
  async #load(id: ChannelId, found: Found): Promise<Found | undefined> {
    const loaded = await this.#parts.database.load(id).catch((error: unknown) => {
      this.#turns.giveUp(id.wire, error);
      throw error;
    });
    if (!loaded) return found;
    const { kept, fault, version } = loaded;
    if (!kept) return { ...found, fault, version };
    const at = await this.#store(id, found, kept);
    return at && { kept, fault, version, id: at.id, position: at };
  }

  async #read({ wire }: ChannelId): Promise<Found> {
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
        field: "state",
        remedy: "Replace it with set, or delete it.",
        cause,
      });
      return { kept: undefined, fault, version: 0, id, position };
    }
  }

  /** Stores what has become of what was found, and says where. Undefined: others were first. */
  async #store(
    id: ChannelId,
    found: Found,
    kept: Kept,
    text = keptText(kept),
    body = changeText(found.kept, kept, text)!,
  ): Promise<Place | undefined> {
    const { link, environment, stats, database } = this.#parts;
    const { wire, contract } = id;
    const { outcome, position } = await link.publish(wire, environment.newId(), body, {
      log: contract.history,
      document: { text, expected: found.id, ttlMs: database.keepMs(id) },
    });
    if (outcome === "conflict") return undefined;
    stats.published++;
    stats.stateChanges++;
    this.#known.set(wire, { id: position!.id, kept }, text.length);
    return position;
  }

  #overtaken({ wire }: ChannelId, tries: number, since: number): Promise<void> {
    this.#parts.stats.stateConflicts++;
    return this.#turns.overtaken(wire, tries, since);
  }
}

/** What is being done under this name already, or is begun now. */
function once<Result>(running: Map<string, Promise<Result>>, name: string, begin: () => Promise<Result>) {
  const found = running.get(name);
  if (found) return found;
  const begun = begin().finally(() => running.delete(name));
  running.set(name, begun);
  return begun;
}

function sound(found: Found): Found {
  if (found.fault) throw found.fault;
  return found;
}
