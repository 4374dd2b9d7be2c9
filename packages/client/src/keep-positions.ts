import type { Cancel, Position } from "@holdfast/protocol";
import type { Clock } from "./clock.js";
import type { ReportError } from "./errors.js";

/**
 * Where positions are kept: `sessionStorage`, `localStorage`, React Native's `AsyncStorage`, or
 * anything of their shape.
 */
export interface PositionStorage {
  /** Null where nothing is kept under this key. */
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
  /**
   * Takes it for one client; the function returned gives it back. Throws while another client has
   * it, which refuses `createClient`. Left out, as by the platform's storages: nothing is taken.
   */
  open?(): () => void;
}

/** What `keepPositions` returns and the option `positions` takes. */
export interface PositionKeeper {
  /** @internal The client calls it, once. */
  (parts: PositionKeeperParts): KeptPositions;
}

export interface PositionKeeperParts {
  /** Of the protocol. */
  readonly name: string;
  readonly url: string;
  readonly clock: Clock;
  readonly report: ReportError;
}

/** Remembers where the application is on each channel, from one life of the process to the next. */
export interface KeptPositions {
  /**
   * Whether what was kept is still being read, so that nothing can be asked for yet; `ready` is
   * called when it is. The first call begins to read. Only while someone is `asking` does the time
   * run after which it goes on without.
   */
  wait(asking: boolean, ready: () => void): boolean;
  /** With `reset` where there may have been one. */
  get(channel: string): KnownPosition | undefined;
  /** Undefined: the channel is followed no more. */
  set(channel: string, position: Position | undefined): void;
  /**
   * Whether the client may connect by itself: only as long does no other client get the storage.
   */
  hold(isHeld: boolean): void;
}

/** `reset`: it cannot be read any more, which is told instead of where it was. */
export type KnownPosition = Position & { readonly reset?: "storage" };

/** Stands for a position that cannot be read any more. No history has an epoch without a name. */
const LOST: KnownPosition = { epoch: "", offset: 0, id: "", reset: "storage" };

/** A storage that takes longer must not keep an application from its channels. */
const PATIENCE_MS = 1_000;

/**
 * A client that joins ever new channels must not fill the storage; those whose last event is oldest
 * are dropped.
 */
const MOST_KEPT = 1_000;

/**
 *   unread --first wait--> reading --text, failure, 1 s--> read
 *
 * The timer belongs to `reading`, and runs while the connection is up.
 */
type KeeperState =
  | { name: "unread" }
  | { name: "reading"; ready: (() => void) | undefined; cancel: Cancel | undefined }
  | { name: "read" };

/**
 * Lets channels with history continue after a reload or restart: what was published meanwhile is
 * delivered, or `onReset` says that it cannot be. For the option `positions`; a page that does not
 * call it does not download it.
 *
 * What is kept for a channel is the position of the last event whose handlers have finished,
 * promises included; so an event that a handler was busy with is delivered again. It is removed
 * when the channel is left, and when more than 1,000 channels are kept. All of it is one entry: the
 * key is `holdfast:`, the protocol's name, `:` and the address without user, password and query. It
 * is written at once, then at most once a turn, one write at a time.
 *
 * Positions and what the application made of the events belong together, so choose a storage that
 * lives as long, and that no other client writes to: `sessionStorage` for a tab; `localStorage`
 * only where there is one tab. A storage that throws, rejects, takes longer than 1 s or holds
 * something else is reported to `onError` once (`source: "storage"`). If it could not be read, each
 * channel begins anew with a reset of the reason `storage`, because events may have been missed.
 */
export function keepPositions(storage: PositionStorage): PositionKeeper {
  return ({ name, url, clock, report }) => {
    const key = `holdfast:${name}:${url.replace(/\?.*/, "").replace(/\/\/[^/]*@/, "//")}`;
    const kept = new Map<string, Position>();
    let state: KeeperState = { name: "unread" };
    let changed = false;
    let writing = false;
    let failed = false;
    /** Once reading has failed: the channels whose position is known again. */
    let known: Set<string> | undefined;
    let release = storage.open?.();
    let isHeld = true;

    const fail = (cause: unknown): void => {
      if (!failed) report(cause, { source: "storage" });
      failed = true;
    };

    const finish = (): void => {
      if (state.name !== "reading") return;
      const { ready, cancel } = state;
      cancel?.();
      state = { name: "read" };
      ready?.();
    };

    const take = (text: string | null): void => {
      // One that comes too late says where the application was before it went on without.
      if (state.name !== "reading") return;
      try {
        for (const [channel, position] of positionsIn(text ?? "[]")) kept.set(channel, position);
      } catch (cause) {
        return refuse(cause);
      }
      finish();
    };

    const refuse = (cause: unknown): void => {
      fail(cause);
      if (state.name === "reading") known = new Set();
      finish();
    };

    const read = (): void => {
      state = { name: "reading", ready: undefined, cancel: undefined };
      try {
        const found = storage.getItem(key);
        // Not always by way of a promise: with sessionStorage `subscribe` still travels right
        // behind `auth`.
        if (typeof found === "object" && found !== null) void found.then(take, refuse);
        else take(found);
      } catch (cause) {
        refuse(cause);
      }
    };

    const put = async (): Promise<void> => {
      changed = false;
      try {
        release ??= storage.open?.();
        await storage.setItem(key, JSON.stringify([...kept]));
      } catch (cause) {
        fail(cause);
      }
    };

    const giveBack = (): void => {
      release?.();
      release = undefined;
    };

    const write = async (): Promise<void> => {
      if (writing) return;
      writing = true;
      // What else changes in this turn is written with it.
      await Promise.resolve();
      while (changed) {
        const turn = new Promise<void>((resolve) => clock.after(0, resolve));
        await put();
        await turn;
      }
      writing = false;
      // A handler has finished behind `disconnect()`.
      if (!isHeld) giveBack();
    };

    return {
      wait(asking, ready) {
        if (state.name === "unread") read();
        if (state.name !== "reading") return false;
        state.ready = ready;
        if (asking)
          state.cancel ??= clock.after(PATIENCE_MS, () => refuse(new Error(`no answer within ${PATIENCE_MS} ms`)));
        else {
          state.cancel?.();
          state.cancel = undefined;
        }
        return true;
      },
      get: (channel) => kept.get(channel) ?? (known && !known.has(channel) ? LOST : undefined),
      set(channel, position) {
        known?.add(channel);
        if (kept.get(channel) === position) return;
        // The newest last.
        kept.delete(channel);
        if (position) kept.set(channel, position);
        if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!);
        changed = true;
        void write();
      },
      hold(held) {
        isHeld = held;
        if (held) return;
        // At once: another client may take it in this turn, and reads what was written before.
        if (release && changed) void put();
        giveBack();
      },
    };
  };
}

/** What is read was written by who knows whom. @throws Error */
function positionsIn(text: string): [string, Position][] {
  const entries = JSON.parse(text) as unknown;
  if (!Array.isArray(entries) || !entries.every(isEntry)) throw new Error("what it holds are no positions");
  return entries.slice(-MOST_KEPT);
}

function isEntry(entry: unknown): entry is [string, Position] {
  if (!Array.isArray(entry)) return false;
  const [channel, position] = entry as [unknown, Partial<Record<keyof Position, unknown>> | null | undefined];
  return (
    isText(channel, 255) &&
    isText(position?.epoch, 64) &&
    Number.isSafeInteger(position?.offset) &&
    (position?.offset as number) >= 0 &&
    isText(position?.id, 128)
  );
}

function isText(value: unknown, most: number): boolean {
  return typeof value === "string" && value.length <= most;
}
