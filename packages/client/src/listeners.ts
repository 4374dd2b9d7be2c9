import { attempt } from "./attempt.js";
import type { ReportError } from "./errors.js";
import type { Delivery } from "./event.js";
import type { HandlerWatch } from "./handler-watch.js";
import { together } from "./in-order.js";

// `never`: what a handler takes is known only to the types, which have matched it with its event's
// schema.
export type AnyHandler = (value: never, info: never) => unknown;

/** Remembers the handlers of one channel handle, by event. */
export interface Listeners {
  readonly size: number;
  /** Returns its removal, which says whether there was something to remove. */
  add(event: string, handler: AnyHandler): () => boolean;
  /** Whether anyone would notice this event; what no one hears is not even validated. */
  hears(event: string): boolean;
  /**
   * Calls the handlers of an event, all at once, those of a group with the event's name beside its
   * value. The promise, where one of them returned one, resolves when all have finished; it never
   * rejects: what a handler throws is reported, and harms no other. `failed` is called for each
   * that threw or rejected.
   */
  handle(delivery: Delivery, failed?: () => void): Promise<unknown> | undefined;
  clear(): void;
}

/**
 * Whether events of this name belong to `name`: the event's own, a group by the dots in it
 * (`playback.*`), or `*`. The library's own, such as `$reset`, belong to no group.
 */
export function isNamed(event: string, name: string): boolean {
  return name === event || (/(^|\.)\*$/.test(name) && event.startsWith(name.slice(0, -1)) && event[0] !== "$");
}

/** `watch`: of handlers that later events wait for. */
export function createListeners(channel: string, report: ReportError, watch?: HandlerWatch): Listeners {
  const entries = new Set<{ name: string; handler: AnyHandler }>();

  return {
    get size() {
      return entries.size;
    },
    add(name, handler) {
      const entry = { name, handler };
      entries.add(entry);
      return () => entries.delete(entry);
    },
    hears: (event) => [...entries].some(({ name }) => isNamed(event, name)),
    handle({ event, value, info }, failed) {
      const fail = (fault: unknown): void => {
        failed?.();
        report(fault, { source: "handler", channel, event });
      };
      const run = ({ name, handler }: { name: string; handler: AnyHandler }): Promise<unknown> | undefined => {
        const pending = attempt(
          () => handler((name === event ? value : { event, data: value }) as never, info as never),
          fail,
        );
        return pending?.then(watch?.begin(channel, event));
      };
      // Over a copy; a handler taken off by the one before it is not called any more.
      return together(
        [...entries].map((entry) => (isNamed(event, entry.name) && entries.has(entry) ? run(entry) : undefined)),
      );
    },
    clear: () => entries.clear(),
  };
}
