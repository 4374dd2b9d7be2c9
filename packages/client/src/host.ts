import type { Cancel } from "@holdfast/protocol";

/**
 * The globals that the client uses. All except the timers may be missing. The declarations are
 * here, so that the client needs no DOM types.
 */
export interface Host extends Partial<EventSource> {
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  readonly WebSocket?: unknown;
  readonly performance?: { now?(): number };
  readonly URLSearchParams?: new (pairs: readonly (readonly [string, unknown])[]) => { toString(): string };
  readonly URL?: new (url: string) => unknown;
  readonly console?: { error(...what: readonly unknown[]): void };
  readonly navigator?: { readonly onLine?: boolean; readonly product?: string };
  readonly location?: { readonly origin: string };
  readonly document?: EventSource & { readonly visibilityState: string };
  readonly process?: { readonly versions?: { readonly node?: string } };
}

interface EventSource {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

export const host = globalThis as unknown as Host;

/** Adds a listener if the source supports events. Returns the function that removes it. */
export function listen<Event>(
  source: Partial<EventSource> | undefined,
  type: string,
  listener: (event: Event) => unknown,
): Cancel {
  const hear = listener as () => void;
  source?.addEventListener?.(type, hear);
  return () => source?.removeEventListener?.(type, hear);
}
