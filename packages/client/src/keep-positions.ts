import type { Cancel, Position } from "@holdfast/protocol";
import type { Clock } from "./clock.js";
import type { ReportError } from "./errors.js";

/**
 * A storage for positions: `sessionStorage`, `localStorage`, React Native's `AsyncStorage`, or any
 * object with the same methods.
 */
export interface PositionStorage {
  /** Returns null if nothing is stored under this key. */
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
  /**
   * Reserves the storage for one client; the returned function releases it. If another client has
   * reserved the storage, `open` throws, and `createClient` throws the same error. Optional: the
   * platform's storages do not have this method.
   */
  open?(): () => void;
}

/** The result of `keepPositions`, for the option `positions`. */
export interface PositionKeeper {
  /** @internal The client calls it once. */
  (parts: PositionKeeperParts): KeptPositions;
}

export interface PositionKeeperParts {
  /** The protocol's name. */
  readonly name: string;
  readonly url: string;
  readonly clock: Clock;
  readonly report: ReportError;
}

/** Stores the position of each channel across reloads and restarts. */
export interface KeptPositions {
  /**
   * Returns true while the stored positions are being read, so that the client cannot subscribe
   * yet. `ready` is called afterwards. The first call starts reading. The timeout of the read runs
   * only while `asking` is true.
   */
  wait(asking: boolean, ready: () => void): boolean;
  /**
   * The stored position. Has `reset` if a position may have been stored but cannot be read.
   * Undefined if no position is stored.
   */
  get(channel: string): KnownPosition | undefined;
  /** Stores a position. Undefined: the channel was left, and the position is removed. */
  set(channel: string, position: Position | undefined): void;
  /**
   * `isHeld`: true while the client may connect by itself. The storage is reserved only during that
   * time.
   */
  hold(isHeld: boolean): void;
}

/**
 * If `reset` is present, the stored position cannot be read, and `onReset` receives that reason.
 */
export type KnownPosition = Position & { readonly reset?: "storage" };

/** Stands for a position that cannot be read. The epoch of a real history is never empty. */
const LOST: KnownPosition = { epoch: "", offset: 0, id: "", reset: "storage" };

/**
 * How long the client waits until the storage has been read. A slow storage must not keep an
 * application from its channels.
 */
const PATIENCE_MS = 1_000;

/**
 * The most channels whose positions are stored, so that a client that joins ever more channels does
 * not fill the storage. The positions that have not changed for the longest time are dropped.
 */
const MOST_KEPT = 1_000;

/**
 *   unread --first wait--> reading --text, failure, 1 s--> read
 *
 * The timer belongs to `reading` and runs while the connection is up.
 */
type KeeperState =
  | { name: "unread" }
  | { name: "reading"; ready: (() => void) | undefined; cancel: Cancel | undefined }
  | { name: "read" };

/**
 * Lets channels with history resume after a reload or restart: events that were published meanwhile
 * are delivered, or `onReset` is called. Pass the result as the option `positions`. A page that
 * does not call this function does not download its code.
 *
 * The stored position of a channel is the position of the last event whose handlers have finished,
 * including their promises. An event whose handler was still running is delivered again. A position
 * is removed when the channel is left. If there are more than 1,000 positions, the position that
 * has not changed for the longest time is removed. All positions are one entry with the key
 * `holdfast:`, the protocol's name, `:` and the address without user, password and query. After a
 * change the entry is written in the same turn. There is at most one write per turn, and at most
 * one at a time.
 *
 * Choose a storage that lives as long as the data that your application builds from the events, and
 * that no other client writes to: `sessionStorage` for a tab, or `localStorage` if there is only
 * one tab. If the storage throws or rejects, is not read within 1 s, or contains other data under
 * this key, `onError` receives one error (`source: "storage"`). If the positions could not be read,
 * each channel starts with a reset whose reason is `storage`, because events may have been missed.
 */
export function keepPositions(storage: PositionStorage): PositionKeeper {
  return ({ name, url, clock, report }) => {
    const key = `holdfast:${name}:${url.replace(/\?.*/, "").replace(/\/\/[^/]*@/, "//")}`;
    const kept = new Map<string, Position>();
    let state: KeeperState = { name: "unread" };
    let changed = false;
    let writing = false;
    let failed = false;
    /** After reading has failed: the channels whose position is known again. */
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
      // A result that arrives after the timeout is ignored, because the client has already
      // continued.
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
        // Read synchronously if possible: with sessionStorage, `subscribe` is then sent right
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
      // Further changes of this turn are written together.
      await Promise.resolve();
      while (changed) {
        const turn = new Promise<void>((resolve) => clock.after(0, resolve));
        await put();
        await turn;
      }
      writing = false;
      // A handler has finished after `disconnect()`, and this write has reserved the storage again.
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
        // Keeps the newest entry last.
        kept.delete(channel);
        if (position) kept.set(channel, position);
        if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!);
        changed = true;
        void write();
      },
      hold(held) {
        isHeld = held;
        if (held) return;
        // Synchronously, because another client may reserve the storage in this turn and must read
        // the latest positions.
        if (release && changed) void put();
        giveBack();
      },
    };
  };
}

/** Validates the stored text, because any code may have written it. @throws Error */
function positionsIn(text: string): [string, Position][] {
  const entries = JSON.parse(text) as unknown;
  if (!Array.isArray(entries) || !entries.every(isEntry)) throw new Error("expected a list of positions");
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
