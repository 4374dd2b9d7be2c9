import { attempt } from "./attempt.js";

/**
 * A value that changes. Fits React's useSyncExternalStore, `useSyncExternalStore(status.subscribe,
 * status.get)`, and has the contract of Svelte's stores, so `$status` reads it.
 */
export interface Observable<Value> {
  /** The same object for as long as nothing changed. */
  get(): Value;
  /**
   * Calls `listener` at once with the present value, before it returns, and then on every change.
   * What the listener throws goes to `onError`, and the listener stays. Returns its unsubscribe.
   */
  subscribe(listener: (value: Value) => void): () => void;
}

/** An observable of the client's own parts, which need not be told of the present value. */
export interface Store<Value> extends Observable<Value> {
  set(value: Value): void;
  /** Calls `listener` on every change, and not at once. */
  onChange(listener: (value: Value) => void): () => void;
}

export interface Emitter<Args extends unknown[]> {
  /** How many listen. */
  readonly size: number;
  on(listener: (...args: Args) => void): () => void;
  emit(...args: Args): void;
}

/** Where the exception of a listener goes, so that one bad listener harms no other. */
export type OnFault = (fault: unknown) => void;

export function emitter<Args extends unknown[]>(onFault: OnFault): Emitter<Args> {
  // Entries, not functions: the same function registered twice is two registrations, each with its
  // own unsubscribe.
  const entries = new Set<{ listener: (...args: Args) => unknown }>();
  return {
    get size() {
      return entries.size;
    },
    on(listener) {
      const entry = { listener };
      entries.add(entry);
      return () => void entries.delete(entry);
    },
    emit(...args) {
      // Over a copy, since listeners come and go meanwhile; one that was taken off is not called
      // any more.
      for (const entry of [...entries]) {
        if (!entries.has(entry)) continue;
        // An asynchronous function fits the type as well, and its rejection would end a Node
        // process.
        void attempt(() => entry.listener(...args), onFault);
      }
    },
  };
}

export function store<Value>(initial: Value, onFault: OnFault): Store<Value> {
  let value = initial;
  const changes = emitter<[Value]>(onFault);
  // A listener may change the value again. The listeners behind it then hear the newer value first,
  // and must not be told the older one afterwards.
  const onChange: Store<Value>["onChange"] = (listener) =>
    changes.on((next) => (Object.is(next, value) ? listener(next) : undefined));
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      changes.emit(next);
    },
    onChange,
    subscribe(listener) {
      // Before the first call, which may change the value.
      const off = onChange(listener);
      void attempt(() => listener(value), onFault);
      return off;
    },
  };
}
