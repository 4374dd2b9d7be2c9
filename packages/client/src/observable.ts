/** A value that changes: read it, or be told. Fits React's useSyncExternalStore and Svelte's stores as it is. */
export interface Observable<Value> {
  /** The same object for as long as nothing changed. */
  get(): Value;
  /** Calls `listener` on every change, not at once. Returns its unsubscribe. */
  subscribe(listener: (value: Value) => void): () => void;
}

export interface Store<Value> extends Observable<Value> {
  set(value: Value): void;
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
  // Entries, not functions: the same function registered twice is two registrations, each with its own unsubscribe.
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
      // Over a copy, since listeners come and go meanwhile; one that was taken off is not called any more.
      for (const entry of [...entries]) {
        if (!entries.has(entry)) continue;
        try {
          // An asynchronous function fits the type as well, and its rejection would end a Node process.
          const result = entry.listener(...args);
          void (result as Partial<Promise<unknown>> | undefined)?.catch?.(onFault);
        } catch (fault) {
          onFault(fault);
        }
      }
    },
  };
}

export function store<Value>(initial: Value, onFault: OnFault): Store<Value> {
  let value = initial;
  const changes = emitter<[Value]>(onFault);
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      changes.emit(next);
    },
    // A listener may change the value again. The listeners behind it then hear the newer value first, and must not be
    // told the older one afterwards.
    subscribe: (listener) => changes.on((next) => (Object.is(next, value) ? listener(next) : undefined)),
  };
}
