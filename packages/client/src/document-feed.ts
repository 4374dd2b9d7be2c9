import { HoldfastError, type ServerMessageOf, type ValueSchema } from "@holdfast/protocol";
import { applyPatches, hashOf, shareParts } from "@holdfast/protocol/internal";
import type { Inside } from "./channel.js";
import { faultError } from "./errors.js";
import { freeze, unshared } from "./freeze.js";
import { createListeners, type Listeners } from "./listeners.js";
import { type ChannelEntry, RESET, SYNC, UPDATE } from "./subscriptions-state.js";

type Sync = ServerMessageOf<"state_sync">;
type Update = ServerMessageOf<"state_update">;

/** The document in its wire form. Patches and hashes refer to this form. */
interface Base {
  readonly data: unknown;
  readonly meta: unknown;
  readonly version: number;
}

/** The document that all handles of a channel share. */
interface SharedDocument {
  /** Undefined while updates cannot be applied, until the server sends the whole document. */
  base: Base | undefined;
  value: unknown;
  /**
   * The message that was read last. Every listener of every handle receives each message, and only
   * the first listener reads it.
   */
  read: unknown;
  /** The number of updates that did not fit the document since the last one that did. */
  failures: number;
  /**
   * True if the client has reported that a document of the server does not match the document's
   * hash.
   */
  doubted: boolean;
}

/** `ChannelDocument` without its types. */
export interface DocumentFeed {
  get(): unknown;
  subscribe(listener: (state: unknown, previous: unknown) => void): () => void;
}

/**
 * The number of consecutive mismatches after which the client stops asking for the document, so
 * that a client and a server that never agree do not loop.
 */
const MOST_FAILURES = 3;

/** After that, the client asks once per this many updates, because later updates may fit again. */
const AGAIN_EVERY = 32;

/** Entries exist while the channel is wanted. */
const shared = /* @__PURE__ */ new WeakMap<ChannelEntry, SharedDocument>();

/** Keeps the document of a channel current from the server's documents and patches. */
export function createDocumentFeed(inside: Inside, schema: ValueSchema): DocumentFeed {
  const { id, status, listeners, listen, subscriptions, report } = inside;
  const channel = id.wire;

  const entryOf = (): ChannelEntry => subscriptions.entry(id)!;
  const sharedByAll = (): SharedDocument => shared.get(entryOf())!;
  const isKept = (): boolean => [...(subscriptions.entry(id)?.holders ?? [])].some((holder) => holder.hears(SYNC));
  /** The subscribers of this handle. */
  let told = createListeners(channel, report);
  /** Undefined while this handle does not listen to the channel for its document. */
  let unlisten: (() => void) | undefined;

  const isThere = (): boolean => told.size > 0 && listeners.hears(SYNC) && status.get().name !== "refused";
  const get = (): unknown => (isThere() ? shared.get(entryOf())?.value : undefined);
  const tell = (whom: Listeners, now: () => unknown): void => void whom.handle({ event: UPDATE, value: now });

  const doubt = (sentence: string, cause?: unknown): void =>
    report(new HoldfastError("BAD_MESSAGE", `${channel}: ${sentence}`, { cause }), { source: "document", channel });

  /** Asks the server for the document in the next microtask, or after the pending answer. */
  const ask = (why: ChannelEntry["state"]): void => {
    const entry = entryOf();
    entry.state = why;
    entry.stale = true;
    subscriptions.refresh();
  };

  const restart = (): void => {
    const entry = entryOf();
    shared.set(entry, { base: undefined, value: undefined, read: undefined, failures: 0, doubted: false });
    // The server sends no document if the channel was joined before any listener wanted the
    // document, or if the last `subscribe` said that the client holds the document.
    if (entry.wire === "joined" || entry.state) ask(undefined);
  };

  const forget = (): void => {
    const all = sharedByAll();
    all.base = all.value = entryOf().state = undefined;
  };

  const take = (all: SharedDocument, { data, meta }: Sync): void => {
    all.base = { data: data.state, meta, version: data.version };
    if (all.doubted || hashOf(data.state) === data.hash) return;
    // The document is used anyway, because another copy would have the same fault.
    all.doubted = true;
    doubt("the document does not match its hash.");
  };

  const apply = (
    all: SharedDocument,
    base: Base,
    { data: { version, patches, hash }, meta = base.meta }: Update,
  ): void => {
    all.base = undefined;
    // An update without patches announces that the whole document follows.
    if (patches.length === 0) return;
    try {
      // A patch of the whole document may have any version: a document that the server loads into a
      // joined channel has the version it was stored with.
      const isWhole = patches[0]!.path.length === 0;
      if (!isWhole && version !== base.version + 1)
        throw new Error(`version ${version} does not follow ${base.version}`);
      const data = applyPatches(base.data, patches);
      if (hash !== undefined && hash !== hashOf(data)) throw new Error("the hash does not match");
      all.base = { data, meta, version };
      all.failures = 0;
    } catch (cause) {
      if (++all.failures <= MOST_FAILURES) return ask("mismatch");
      entryOf().state = undefined;
      doubt("the updates do not fit.", cause);
    }
  };

  const read = (message: Sync | Update | { readonly type?: undefined }): void => {
    const all = sharedByAll();
    if (all.read === message) return;
    all.read = message;
    const { base } = all;
    // Updates that were queued when the channel was refused are ignored.
    if (message.type === undefined || entryOf().status.name === "refused") all.base = undefined;
    else if (message.type === "state_sync") take(all, message);
    else if (base) apply(all, base, message);
    else if (all.failures > MOST_FAILURES && ++all.failures % AGAIN_EVERY === 0) ask("mismatch");
    if (!all.base || all.base === base) return;
    const { data, meta } = all.base;
    const checked = data === undefined ? ({ ok: true, value: data } as const) : schema.receive(data, meta, "document");
    // The document may contain default values of the schema, so it is copied before it is frozen.
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
    // Set before joining, because a status listener may subscribe during the join.
    unlisten = () => {
      unlisten = undefined;
      for (const off of offs) off();
      const entry = subscriptions.entry(id);
      // While the channel is joining, the server may have been told that the client holds the
      // document. `state` keeps that fact for the next subscriber.
      if (entry && entry.wire !== "joining" && !isKept()) entry.state = undefined;
    };
    offs.push(listen(SYNC, hear), listen(UPDATE, hear), listen(RESET, hear));
    // Another copy of this package may already keep the document.
    if (isFirst || !shared.has(entryOf())) restart();
    offs.push(
      status.onChange(({ name }) => {
        // Checks the listener instead of the status name, because an earlier status listener may
        // have joined again.
        if (!listeners.hears(SYNC)) return over();
        if (name !== "refused") return;
        // The server sends no changes for a refused channel, so the last document would become
        // stale.
        forget();
        tell(told, get);
      }),
    );
  };

  /**
   * Ends the subscription after the handle was left. Everything is cleaned up before the
   * subscribers are notified, because a subscriber may join again.
   */
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
      // The handle was left, and an earlier status listener subscribes again before this document
      // was notified.
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
      // Notifies only the new subscriber, with the same error handling as for all.
      const first = createListeners(channel, report);
      first.add(UPDATE, hear);
      tell(first, get);
      return () => {
        // In a microtask, so that a component that subscribes anew in each render does not ask for
        // the document each time.
        if (remove()) void Promise.resolve().then(giveUp);
      };
    },
  };
}
