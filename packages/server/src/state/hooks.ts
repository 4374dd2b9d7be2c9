import {
  HoldfastError,
  type ProtocolDefinition,
  type Protocol,
  type SentStateOf,
  type StateChannelName,
  type StateOf,
} from "@holdfast/protocol";

/** A document in the application's own database. */
export interface LoadedState<State> {
  /** Undefined, with a version: it was deleted in that version, and there is none until it is set again. */
  readonly state: State | undefined;
  /**
   * What `save` was given with it; versions go on from there. At most 2^52; 0 counts as 1. As drivers give a column of 64 bits: a
   * number, a bigint, or a text of digits. @default 1
   */
  readonly version?: number | bigint | string | undefined;
}

/** How a channel's documents belong to the application's own database. */
export interface StateHooks<State = unknown, Sent = State> {
  /**
   * Asked for a document that the broker does not have: undefined, there is none. Without it, what the broker has is all there is.
   * It must not wait for a change of the same document, and has `requestTimeoutMs`; then whoever asks is told UNAVAILABLE.
   * @default none
   */
  readonly load?: (question: {
    readonly key: string | undefined;
  }) => LoadedState<Sent> | undefined | Promise<LoadedState<Sent> | undefined>;
  /**
   * Given every new version, and again the one there is when a change has changed nothing; of several that come while it runs, the
   * last one. `state` is undefined where the document was deleted. Two instances may save at the same time: keep the higher
   * version, that of a deleted document included. Versions rise; only where Redis has lost changes, as in a failover, do they start
   * anew from what it has. It must not wait for a change of the same document, and has `requestTimeoutMs`; then, or when it throws,
   * whoever made the change is told NOT_SAVED, and the next change saves it, also one that changes nothing. One that was given up may
   * still end, late.
   * @default none
   */
  readonly save?: (document: {
    readonly key: string | undefined;
    readonly state: State | undefined;
    readonly version: number;
  }) => unknown;
  /**
   * How long the broker keeps a document that nobody reads, writes or watches. Milliseconds; no less than the 30 days for which it
   * remembers where a channel stands.
   * @default 30 days
   */
  readonly keepMs?: number | undefined;
}

/** The hooks by channel. */
export type StateOptions<P extends ProtocolDefinition> = {
  readonly [C in StateChannelName<P>]?: StateHooks<StateOf<P, C>, SentStateOf<P, C>>;
};

export const KEEP_MS = 30 * 86_400_000;
const HOOKS = ["load", "save", "keepMs"];

/** @throws HoldfastError INVALID_OPTION */
export function stateHooksOf(protocol: Protocol, options: object | undefined): ReadonlyMap<string, StateHooks> {
  const hooks = new Map<string, StateHooks>();
  for (const [name, given] of Object.entries(options ?? {}) as [string, StateHooks | undefined][]) {
    if (!protocol.channels.get(name)?.state) fail(name, "is no channel that declares state");
    if (given === undefined) continue;
    if (typeof given !== "object" || given === null) fail(name, "expected an object with load, save or keepMs");
    for (const key of Object.keys(given)) if (!HOOKS.includes(key)) fail(`${name}.${key}`, "is not an option");
    for (const key of ["load", "save"] as const)
      if (given[key] !== undefined && typeof given[key] !== "function") fail(`${name}.${key}`, "expected a function");
    const { keepMs = KEEP_MS } = given;
    if (!(Number.isSafeInteger(keepMs) && keepMs >= KEEP_MS))
      fail(`${name}.keepMs`, `expected a whole number of milliseconds, at least ${KEEP_MS}`);
    hooks.set(name, given);
  }
  return hooks;
}

function fail(name: string, sentence: string): never {
  throw new HoldfastError("INVALID_OPTION", `createServer: state.${name}: ${sentence}.`, { field: `state.${name}` });
}
