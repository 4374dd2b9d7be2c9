import type { BoardOptions } from "../support/document-server.js";

export type Hooks = NonNullable<NonNullable<BoardOptions["documents"]>["board"]>;
export type Save = NonNullable<Hooks["save"]>;

/**
 * A database that keeps the versions of deleted documents, as the guide recommends. If the test
 * sets `failing`, `save` throws that error.
 */
export function database() {
  const rows = new Map<string, { document: { title: string; cards: never[] } | undefined; version: number }>();
  const saved: number[] = [];
  const all = { rows, saved, failing: undefined as Error | undefined, hooks: {} as Hooks };
  all.hooks = {
    load: ({ key }) => rows.get(key!),
    save({ key, document, version }) {
      if (all.failing) throw all.failing;
      saved.push(version);
      if (version > (rows.get(key!)?.version ?? 0)) rows.set(key!, { document: document as never, version });
    },
  };
  return all;
}

/**
 * Resolves with the value or the error of the promise. The handler is attached at once, so that no
 * rejection counts as unhandled while virtual time advances.
 */
export const outcomeOf = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);
export const never = () => new Promise<never>(() => {});
