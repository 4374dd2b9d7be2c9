/** The globals the client looks at, each of which may be missing. Declared here so that no DOM types are needed. */
export interface Host extends Partial<EventSource> {
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  readonly WebSocket?: unknown;
  readonly performance?: { now?(): number };
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
