import { attempt } from "./attempt.js";

/**
 * A value that changes. Fits React's `useSyncExternalStore(status.subscribe, status.get)` and
 * follows the contract of Svelte's stores, so `$status` works.
 */
export interface Observable<Value> {
  /** Returns the current value: the same object until the value changes. */
  get(): Value;
  /**
   * Calls `listener` synchronously with the current value, and then on every change. If the
   * listener throws, `onError` receives the error and the listener stays. Returns the unsubscribe
   * function.
   */
  subscribe(listener: (value: Value) => void): () => void;
}

/**
 * An observable for the client's own parts, which can also listen without receiving the current
 * value.
 */
export interface Store<Value> extends Observable<Value> {
  set(value: Value): void;
  /** Calls `listener` on every change, but not with the current value. */
  onChange(listener: (value: Value) => void): () => void;
}

export interface Emitter<Args extends unknown[]> {
  /** The number of listeners. */
  readonly size: number;
  on(listener: (...args: Args) => void): () => void;
  emit(...args: Args): void;
}

/** Receives the exception of a listener, so that a faulty listener does not affect others. */
export type OnFault = (fault: unknown) => void;

export function emitter<Args extends unknown[]>(onFault: OnFault): Emitter<Args> {
  // Entries instead of functions: if the same function is registered twice, each registration has
  // its own unsubscribe function.
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
      // Iterates over a copy, because listeners may be added or removed meanwhile. A removed
      // listener is not called.
      for (const entry of [...entries]) {
        if (!entries.has(entry)) continue;
        // The type also accepts an async function. Without `attempt`, its rejection would end a
        // Node process.
        void attempt(() => entry.listener(...args), onFault);
      }
    },
  };
}

export function store<Value>(initial: Value, onFault: OnFault): Store<Value> {
  let value = initial;
  const changes = emitter<[Value]>(onFault);
  // A listener may change the value again. Later listeners then receive the newer value first and
  // must not receive the older value afterwards.
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
      // Registered before the first call, because that call may change the value.
      const off = onChange(listener);
      void attempt(() => listener(value), onFault);
      return off;
    },
  };
}
