import { type ChannelId, documentFault, type Fault, HoldfastError } from "@holdfast/protocol";
import type { BrokerLink } from "../broker/broker.js";
import { type Environment, isThenable } from "../environment.js";
import type { Stats } from "../observe/stats.js";
import { changeText, type Content, jsonCopy, type Kept, keptText, readKept } from "./document.js";
import { KEEP_MS, type StateHooks } from "./hooks.js";
import { KnownDocuments } from "./known.js";
import { Saves } from "./saves.js";
import { Turns } from "./turns.js";

/** What came of a change. */
export interface StateWritten<State = unknown> {
  /** The document as it is now. The caller's own: it may be changed. */
  readonly state: State;
  /** How often the document has been changed. The same as before where the change changed nothing. */
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
  readonly hooks: ReadonlyMap<string, StateHooks>;
  /** What a document may take as JSON, in bytes. */
  readonly mostBytes: number;
  /** Resolves when the members here have what stands at this offset; undefined: they have. */
  expect(channel: string, offset: number): Promise<void> | undefined;
  size(id: ChannelId): number;
}

/** A document as it was read: the broker's text of it is named by the publication that has brought it. */
interface Found {
  readonly kept: Kept | undefined;
  readonly id: string;
  readonly position: { readonly offset: number; readonly id: string };
}

/** A change that was made, or that changed nothing; and what is to be saved of it. */
interface Written {
  readonly content: Content;
  readonly version: number;
  readonly at: { readonly offset: number; readonly id: string };
  readonly unsaved: Kept | undefined;
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
  readonly #saves = new Saves();
  readonly #turns: Turns;
  readonly #loads = new Map<string, Promise<void>>();

  constructor(parts: DocumentsParts) {
    this.#parts = parts;
    this.#turns = new Turns(parts.environment);
  }

  /** @throws HoldfastError (rejects) UNAVAILABLE, or what `load` throws */
  async get(id: ChannelId): Promise<unknown> {
    const { kept } = await this.#find(id);
    return kept?.name === "there" ? valueOf(id, kept.content) : undefined;
  }

  /** Sees to it that the broker has the document, where the application can load it. Rejects with what `load` throws. */
  load(id: ChannelId): Promise<void> | undefined {
    if (!this.#parts.hooks.get(id.contract.name)?.load) return undefined;
    const found = this.#loads.get(id.wire);
    if (found) return found;
    const loading = this.#find(id)
      .then(async ({ position }) => this.#parts.expect(id.wire, position.offset))
      .finally(() => this.#loads.delete(id.wire));
    this.#loads.set(id.wire, loading);
    return loading;
  }

  async set(id: ChannelId, value: unknown): Promise<StateWritten> {
    const content = this.#contentOf(id, value);
    return this.#saved(id, await this.#turns.run(id.wire, () => this.#write(id, () => content)));
  }

  async update(id: ChannelId, change: (draft: unknown) => unknown): Promise<StateWritten> {
    const next = (kept: Kept | undefined): Content => {
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
      return this.#contentOf(id, typeof result === "object" && result !== null ? result : draft);
    };
    return this.#saved(id, await this.#turns.run(id.wire, () => this.#write(id, next)));
  }

  /** Whether there was one. */
  async delete(id: ChannelId, reason: string): Promise<boolean> {
    const deleted = await this.#turns.run(id.wire, async () => {
      for (let tries = 1; ; tries++) {
        const since = this.#parts.environment.now();
        const found = await this.#find(id);
        if (found.kept?.name !== "there") return undefined;
        const kept: Kept = { name: "deleted", version: found.kept.version + 1, reason };
        const stored = await this.#store(id, found, kept);
        if (stored && stored !== "unchanged") return { kept, offset: stored.offset };
        await this.#overtaken(id, tries, since);
      }
    });
    if (deleted) await this.#announced(id, deleted.kept, deleted.offset);
    return deleted !== undefined;
  }

  async #write(id: ChannelId, next: (kept: Kept | undefined) => Content): Promise<Written> {
    for (let tries = 1; ; tries++) {
      const since = this.#parts.environment.now();
      const found = await this.#find(id);
      const content = next(found.kept);
      const kept: Kept = { name: "there", version: (found.kept?.version ?? 0) + 1, content };
      const stored = await this.#store(id, found, kept);
      if (stored === "unchanged")
        return { content, version: found.kept!.version, at: found.position, unsaved: undefined };
      if (stored) return { content, version: kept.version, at: stored, unsaved: kept };
      await this.#overtaken(id, tries, since);
    }
  }

  /** Others may change it meanwhile: a slow database holds up nobody but those who wait for it. */
  async #saved(id: ChannelId, { content, version, at, unsaved }: Written): Promise<StateWritten> {
    if (unsaved) await this.#announced(id, unsaved, at.offset);
    return { state: valueOf(id, content), version, offset: at.offset, id: at.id, delivered: this.#parts.size(id) };
  }

  /** As the broker has it; as the application has it, where the broker has none. */
  async #find(id: ChannelId): Promise<Found> {
    for (let tries = 1; ; tries++) {
      const since = this.#parts.environment.now();
      const found = await this.#read(id);
      const { load } = this.#parts.hooks.get(id.contract.name) ?? {};
      if (found.kept || !load) return found;
      const loaded = await load({ key: id.key });
      if (loaded === undefined || loaded === null) return found;
      const content = this.#contentOf(id, loaded.state);
      const kept: Kept = { name: "there", version: versionOf(id, loaded.version), content };
      const stored = await this.#store(id, found, kept);
      if (stored && stored !== "unchanged") return { kept, id: stored.id, position: stored };
      await this.#overtaken(id, tries, since);
    }
  }

  async #read({ wire }: ChannelId): Promise<Found> {
    const known = this.#known.get(wire);
    const asked = { document: true, known: known?.id, ttlMs: UNWRITTEN_MS };
    const { position, document, isKnown } = await this.#parts.link.read(wire, asked);
    if (isKnown) return { ...known!, position };
    if (!document) return { kept: undefined, id: "", position };
    try {
      const { id, text } = document;
      const kept = readKept(text);
      this.#known.set(wire, { id, kept }, text.length);
      return { kept, id, position };
    } catch (cause) {
      throw new HoldfastError("INTERNAL", `The document of ${wire} in the broker is none of ours.`, { cause });
    }
  }

  /** Stores what has become of what was found. Undefined: others were first. */
  async #store(
    { wire, contract }: ChannelId,
    found: Found,
    kept: Kept,
  ): Promise<{ readonly offset: number; readonly id: string } | "unchanged" | undefined> {
    const { link, environment, stats, hooks } = this.#parts;
    const text = keptText(kept);
    const body = changeText(found.kept, kept, text);
    if (body === undefined) return "unchanged";
    const { outcome, position } = await link.publish(wire, environment.newId(), body, {
      log: contract.history,
      document: {
        text,
        expected: found.id,
        ttlMs: hooks.get(contract.name)?.keepMs ?? KEEP_MS,
      },
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

  /** Whoever changes it and then answers a request: the members have it before the answer. And so has the application's own. */
  async #announced(id: ChannelId, kept: Kept, offset: number): Promise<void> {
    await this.#parts.expect(id.wire, offset);
    const { save } = this.#parts.hooks.get(id.contract.name) ?? {};
    if (!save) return;
    const { version } = kept;
    try {
      await this.#saves.save(id.wire, () =>
        save({ key: id.key, version, state: kept.name === "there" ? valueOf(id, kept.content) : undefined }),
      );
    } catch (cause) {
      const text = `${id.wire}: version ${version} was stored and announced, but not saved.`;
      throw new HoldfastError("NOT_SAVED", text, { field: "state", cause });
    }
  }

  #contentOf(id: ChannelId, value: unknown): Content {
    const { wire, contract } = id;
    const sent = contract.state!.send(value, "state");
    if (!sent.ok) throw invalid(wire, sent.fault);
    // As it will be on the other side: JSON leaves out what is undefined.
    const text = JSON.stringify(sent.value);
    const { data, meta } = JSON.parse(text) as Content;
    const fault = documentFault(data);
    if (fault) throw invalid(wire, { field: "state", message: `state: ${fault}.` });
    const { mostBytes } = this.#parts;
    if (text.length * 3 > mostBytes && Buffer.byteLength(text) > mostBytes) {
      const limit = `The document of ${wire} was not changed: it would take more than ${mostBytes} bytes.`;
      throw new HoldfastError("LIMIT_EXCEEDED", limit, {
        field: "state",
        remedy: "Split it over several channels, or raise limits.stateBytes.",
      });
    }
    return { data, ...(meta !== undefined && { meta }) };
  }
}

function valueOf({ wire, contract }: ChannelId, { data, meta }: Content): unknown {
  const read = contract.state!.receive(jsonCopy(data), meta, "state");
  if (!read.ok)
    throw new HoldfastError(
      "INTERNAL",
      `The document of ${wire} does not match its schema any more: ${read.fault.message}`,
      {
        field: read.fault.field,
        cause: read.fault.cause,
      },
    );
  return read.value;
}

function versionOf({ wire }: ChannelId, version = 0): number {
  if (Number.isSafeInteger(version) && version >= 0) return Math.max(1, version);
  throw new HoldfastError("INVALID_VALUE", `${wire}: load: version: expected a whole number from 0.`, {
    field: "version",
  });
}

function invalid(wire: string, fault: Fault): HoldfastError {
  return new HoldfastError("INVALID_VALUE", `The document of ${wire} was not changed: ${fault.message}`, {
    field: fault.field,
    cause: fault.cause,
  });
}
