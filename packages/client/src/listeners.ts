import type { ReportError } from "./errors.js";
import type { Delivery } from "./event.js";

// `never`: what a handler takes is known only to the types, which have matched it with its event's schema.
export type Handler = (value: never) => unknown;

/** Remembers the handlers of one channel handle, by event. */
export interface Listeners {
  readonly size: number;
  /** Returns its removal, which says whether there was something to remove. */
  add(event: string, handler: Handler): () => boolean;
  has(event: string): boolean;
  /**
   * Calls the handlers of an event, all at once. The promise, where one of them returned one, resolves when all have
   * finished; it never rejects: what a handler throws is reported, and harms no other.
   */
  call(delivery: Delivery): Promise<unknown> | undefined;
  clear(): void;
}

export function createListeners(channel: string, report: ReportError): Listeners {
  const entries = new Set<{ event: string; handler: Handler }>();

  const run = (event: string, handler: Handler, value: unknown): Promise<unknown> | undefined => {
    const fail = (fault: unknown): void => report(fault, { source: "handler", channel, event });
    try {
      const result = handler(value as never);
      return isThenable(result) ? Promise.resolve(result).catch(fail) : undefined;
    } catch (fault) {
      fail(fault);
      return undefined;
    }
  };

  return {
    get size() {
      return entries.size;
    },
    add(event, handler) {
      const entry = { event, handler };
      entries.add(entry);
      return () => entries.delete(entry);
    },
    has: (event) => [...entries].some((entry) => entry.event === event),
    call({ event, value }) {
      // Over a copy; a handler taken off by the one before it is not called any more.
      const pending = [...entries].flatMap((entry) =>
        entry.event === event && entries.has(entry) ? (run(event, entry.handler, value) ?? []) : [],
      );
      return pending.length > 0 ? Promise.all(pending) : undefined;
    },
    clear: () => entries.clear(),
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
}
