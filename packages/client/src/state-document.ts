import {
  applyPatches,
  hashOf,
  HoldfastError,
  type ServerMessage,
  shareParts,
  type ValueSchema,
} from "@holdfast/protocol";
import type { Inside } from "./channel.js";
import { faultError } from "./errors.js";
import { freeze } from "./freeze.js";
import { type Entry, RESET, SYNC, UPDATE } from "./subscriptions-state.js";

type Sync = Extract<ServerMessage, { type: "state_sync" }>;
type Update = Extract<ServerMessage, { type: "state_update" }>;

/** The document as it travels: patches and hashes are about this form. */
interface Base {
  readonly data: unknown;
  readonly meta: unknown;
  readonly version: number;
}

/** What all handles of a channel share. */
interface Shared {
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

/** `ChannelState` without its types. */
export interface StateDocument {
  get(): unknown;
  subscribe(listener: (state: unknown, previous: unknown) => void): () => void;
}

/** A server and a client that never agree must not ask and answer for ever. */
const MOST_FAILURES = 3;

/** Kept for as long as the channel is wanted. */
const shared = /* @__PURE__ */ new WeakMap<Entry, Shared>();

/** Remembers the document of a channel, as the server said. */
export function createStateDocument(inside: Inside, schema: ValueSchema): StateDocument {
  const { id, status, listeners, listen, subscriptions, report } = inside;
  const channel = id.wire;

  const entryOf = (): Entry => subscriptions.entry(id)!;
  const sharedByAll = (): Shared => shared.get(entryOf())!;
  const isKept = (): boolean => [...(subscriptions.entry(id)?.holders ?? [])].some((holder) => holder.hears(SYNC));
  const get = (): unknown => (listeners.has(SYNC) ? sharedByAll().value : undefined);

  const doubt = (sentence: string, cause?: unknown): void =>
    report(new HoldfastError("BAD_MESSAGE", `${channel}: ${sentence}`, { cause }), { source: "state", channel });

  /** The server is asked for the document, at once or when it has answered. */
  const ask = (why: Entry["state"]): void => {
    const entry = entryOf();
    entry.state = why;
    entry.stale = true;
    subscriptions.refresh();
  };

  const restart = (): void => {
    const entry = entryOf();
    shared.set(entry, { base: undefined, value: undefined, read: undefined, failures: 0, doubted: false });
    // Joined before anyone listened, so it has been missed; or the server was told that it is here.
    if (entry.wire.name === "joined" || entry.state) ask(undefined);
  };

  const forget = (): void => {
    const all = sharedByAll();
    all.base = all.value = entryOf().state = undefined;
  };

  const take = (all: Shared, { data, meta }: Sync): void => {
    all.base = { data: data.state, meta, version: data.version };
    if (all.doubted || hashOf(data.state) === data.hash) return;
    // Taken all the same: another would be no better.
    all.doubted = true;
    doubt("the document is not the one its hash is of.");
  };

  const apply = (all: Shared, base: Base, { data: { version, patches, hash }, meta = base.meta }: Update): void => {
    all.base = undefined;
    // All of it follows.
    if (patches.length === 0) return;
    try {
      if (version !== base.version + 1) throw new Error(`version ${version} does not follow ${base.version}`);
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
    if (!all.base || all.base === base) return;
    const { data, meta } = all.base;
    const checked = data === undefined ? ({ ok: true, value: data } as const) : schema.receive(data, meta, "state");
    if (checked.ok) all.value = freeze(shareParts(all.value, checked.value));
    else report(faultError("BAD_MESSAGE", channel, checked.fault), { source: "state", channel });
  };

  return {
    get,
    subscribe(listener) {
      const isFirst = !isKept();
      const tell = (): void => {
        const [now, before] = [get(), seen];
        if (now !== before) listener((seen = now), before);
      };
      const hear = (message: Sync | Update): void => {
        read(message);
        tell();
      };
      const offs = [listen(SYNC, hear), listen(UPDATE, hear), listen(RESET, hear)];
      if (isFirst) restart();
      let seen = get();
      const stop = status.subscribe(({ name }) => {
        // Of a refused channel nothing is told any more, and what was told is not true for long.
        if (name === "refused") forget();
        if (name === "refused" || name === "idle") tell();
        if (name === "idle") end();
      });
      const end = (): void => {
        stop();
        for (const off of offs) off();
        const entry = subscriptions.entry(id);
        // While it is joined again the server may have been told that the document is here: whoever comes next has to know.
        if (entry && entry.wire.name !== "joining" && !isKept()) entry.state = undefined;
      };
      return end;
    },
  };
}
