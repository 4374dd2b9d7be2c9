import { attempt } from "./attempt.js";
import type { ReportError } from "./errors.js";
import type { Delivery } from "./event.js";
import type { HandlerWatch } from "./handler-watch.js";
import { together } from "./in-order.js";

// `never`: the types have matched a handler's parameter with the event's schema, and the code does
// not know the type.
export type AnyHandler = (value: never, info: never) => unknown;

/** The handlers of one channel handle, by event. */
export interface Listeners {
  readonly size: number;
  /**
   * Adds a handler. The returned function removes the handler, and returns false if the handler was
   * already removed.
   */
  add(event: string, handler: AnyHandler): () => boolean;
  /** True if a handler listens to this event. An event without handlers is not even validated. */
  hears(event: string): boolean;
  /**
   * Calls all handlers of an event. Handlers of a group receive the event's name together with its
   * value. If a handler returns a promise, the result resolves when all handlers have finished. The
   * result never rejects: an error of a handler is reported and does not affect the other handlers.
   * `failed` is called for each handler that throws or rejects.
   */
  handle(delivery: Delivery, failed?: () => void): Promise<unknown> | undefined;
  clear(): void;
}

/**
 * Returns true if `name` is the event, a group that contains the event (`playback.*`), or `*`.
 * Internal names such as `$reset` belong to no group.
 */
export function isNamed(event: string, name: string): boolean {
  return name === event || (/(^|\.)\*$/.test(name) && event.startsWith(name.slice(0, -1)) && event[0] !== "$");
}

/** `watch` observes handlers that later events wait for. */
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
      // Iterates over a copy. A handler that an earlier handler removed is not called.
      return together(
        [...entries].map((entry) => (isNamed(event, entry.name) && entries.has(entry) ? run(entry) : undefined)),
      );
    },
    clear: () => entries.clear(),
  };
}
