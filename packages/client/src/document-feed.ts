import { HoldfastError, type ServerMessageOf, type ValueSchema } from "@holdfast/protocol";
import { applyPatches, hashOf, shareParts } from "@holdfast/protocol/internal";
import type { Inside } from "./channel.js";
import { faultError } from "./errors.js";
import { freeze, unshared } from "./freeze.js";
import { createListeners, type Listeners } from "./listeners.js";
import { type ChannelEntry, RESET, SYNC, UPDATE } from "./subscriptions-state.js";

type Sync = ServerMessageOf<"state_sync">;
type Update = ServerMessageOf<"state_update">;

/** The document as it travels: patches and hashes are about this form. */
interface Base {
  readonly data: unknown;
  readonly meta: unknown;
  readonly version: number;
}

/** What all handles of a channel share. */
interface SharedDocument {
  /** Undefined: what comes cannot be applied, until the server sends all of it. */
  base: Base | undefined;
  value: unknown;
  /** Read last: each listener of each handle brings every message. */
  read: unknown;
  /** How often in a row an update did not lead from the document before it to the one after it. */
  failures: number;
  /** Whether it was reported that the server's document and its hash differ. */
  doubted: boolean;
}

/** `ChannelDocument` without its types. */
export interface DocumentFeed {
  get(): unknown;
  subscribe(listener: (state: unknown, previous: unknown) => void): () => void;
}

/** A server and a client that never agree must not ask and answer for ever. */
const MOST_FAILURES = 3;

/** Then it asks only at every so many changes: what did not fit may do so by then. */
const AGAIN_EVERY = 32;

/** Kept for as long as the channel is wanted. */
const shared = /* @__PURE__ */ new WeakMap<ChannelEntry, SharedDocument>();

/** Remembers the document of a channel, as the server said. */
export function createDocumentFeed(inside: Inside, schema: ValueSchema): DocumentFeed {
  const { id, status, listeners, listen, subscriptions, report } = inside;
  const channel = id.wire;

  const entryOf = (): ChannelEntry => subscriptions.entry(id)!;
  const sharedByAll = (): SharedDocument => shared.get(entryOf())!;
  const isKept = (): boolean => [...(subscriptions.entry(id)?.holders ?? [])].some((holder) => holder.hears(SYNC));
  /** Who is told of changes, and has the document. */
  let told = createListeners(channel, report);
  /** Undefined while this handle does not listen to the channel for its document. */
  let unlisten: (() => void) | undefined;

  const isThere = (): boolean => told.size > 0 && listeners.hears(SYNC) && status.get().name !== "refused";
  const get = (): unknown => (isThere() ? shared.get(entryOf())?.value : undefined);
  const tell = (whom: Listeners, now: () => unknown): void => void whom.handle({ event: UPDATE, value: now });

  const doubt = (sentence: string, cause?: unknown): void =>
    report(new HoldfastError("BAD_MESSAGE", `${channel}: ${sentence}`, { cause }), { source: "document", channel });

  /** The server is asked for the document, at once or when it has answered. */
  const ask = (why: ChannelEntry["state"]): void => {
    const entry = entryOf();
    entry.state = why;
    entry.stale = true;
    subscriptions.refresh();
  };

  const restart = (): void => {
    const entry = entryOf();
    shared.set(entry, { base: undefined, value: undefined, read: undefined, failures: 0, doubted: false });
    // Joined before anyone listened, so it has been missed; or the server was told that it is here.
    if (entry.wire === "joined" || entry.state) ask(undefined);
  };

  const forget = (): void => {
    const all = sharedByAll();
    all.base = all.value = entryOf().state = undefined;
  };

  const take = (all: SharedDocument, { data, meta }: Sync): void => {
    all.base = { data: data.state, meta, version: data.version };
    if (all.doubted || hashOf(data.state) === data.hash) return;
    // Taken all the same: another would be no better.
    all.doubted = true;
    doubt("the document is not the one its hash is of.");
  };

  const apply = (
    all: SharedDocument,
    base: Base,
    { data: { version, patches, hash }, meta = base.meta }: Update,
  ): void => {
    all.base = undefined;
    // All of it follows.
    if (patches.length === 0) return;
    try {
      // One that is loaded into a channel that is watched has the version it was kept with.
      const isWhole = patches[0]!.path.length === 0;
      if (!isWhole && version !== base.version + 1)
        throw new Error(`version ${version} does not follow ${base.version}`);
      const data = applyPatches(base.data, patches);
      if (hash !== undefined && hash !== hashOf(data)) throw new Error("leads to another document");
      all.base = { data, meta, version };
      all.failures = 0;
    } catch (cause) {
      if (++all.failures <= MOST_FAILURES) return ask("mismatch");
      entryOf().state = undefined;
      doubt("its updates do not fit the document.", cause);
    }
  };

  const read = (message: Sync | Update | { readonly type?: undefined }): void => {
    const all = sharedByAll();
    if (all.read === message) return;
    all.read = message;
    const { base } = all;
    // What was queued when the channel was refused is not told any more.
    if (message.type === undefined || entryOf().status.name === "refused") all.base = undefined;
    else if (message.type === "state_sync") take(all, message);
    else if (base) apply(all, base, message);
    else if (all.failures > MOST_FAILURES && ++all.failures % AGAIN_EVERY === 0) ask("mismatch");
    if (!all.base || all.base === base) return;
    const { data, meta } = all.base;
    const checked = data === undefined ? ({ ok: true, value: data } as const) : schema.receive(data, meta, "document");
    // What the schema has filled in is the schema's own, and is not ours to freeze.
    if (checked.ok) all.value = freeze(shareParts(all.value, unshared(checked.value)));
    else report(faultError("BAD_MESSAGE", channel, checked.fault), { source: "document", channel });
  };

  const listenTo = (): void => {
    const isFirst = !isKept();
    const hear = (message: Sync | Update): void => {
      read(message);
      tell(told, get);
    };
    const offs: (() => void)[] = [];
    // Set before it joins: whoever is told of that may subscribe as well.
    unlisten = () => {
      unlisten = undefined;
      for (const off of offs) off();
      const entry = subscriptions.entry(id);
      // While it is joined again the server may have been told that the document is here: whoever
      // comes next has to know.
      if (entry && entry.wire !== "joining" && !isKept()) entry.state = undefined;
    };
    offs.push(listen(SYNC, hear), listen(UPDATE, hear), listen(RESET, hear));
    // Another copy of this package may keep it.
    if (isFirst || !shared.has(entryOf())) restart();
    offs.push(
      status.onChange(({ name }) => {
        // Not by its name: whoever was told before may have joined again.
        if (!listeners.hears(SYNC)) return over();
        if (name !== "refused") return;
        // Of a refused channel nothing is told any more, and what was told is not true for long.
        forget();
        tell(told, get);
      }),
    );
  };

  /** The handle was left. All is cleaned up before anyone is told, who may join again. */
  const over = (): void => {
    unlisten?.();
    const last = told;
    told = createListeners(channel, report);
    tell(last, () => undefined);
  };

  const giveUp = (): void => {
    if (told.size === 0) unlisten?.();
  };

  return {
    get,
    subscribe(listener) {
      // It was left, and whoever was told of it before this document was is here again.
      if (!listeners.hears(SYNC)) over();
      let seen: unknown;
      let isNew = true;
      const hear = (now: () => unknown): unknown => {
        const before = seen;
        seen = now();
        if (seen === before && !isNew) return undefined;
        isNew = false;
        return listener(seen, before);
      };
      const remove = told.add(UPDATE, hear);
      if (!unlisten) listenTo();
      // Only this one, and as all of them are told.
      const first = createListeners(channel, report);
      first.add(UPDATE, hear);
      tell(first, get);
      return () => {
        // A microtask later: a component that subscribes anew in each render must not ask for the
        // document in each.
        if (remove()) void Promise.resolve().then(giveUp);
      };
    },
  };
}
