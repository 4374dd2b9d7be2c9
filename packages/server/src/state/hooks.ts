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
  readonly state: State;
  /** What `save` was given with it; versions go on from there. @default 0 */
  readonly version?: number | undefined;
}

/** How a channel's documents belong to the application's own database. */
export interface StateHooks<State = unknown, Sent = State> {
  /**
   * Asked for a document that the broker does not have: undefined, there is none. Without it, what the broker has is all there is.
   * @default none
   */
  readonly load?: (question: {
    readonly key: string | undefined;
  }) => LoadedState<Sent> | undefined | Promise<LoadedState<Sent> | undefined>;
  /**
   * Given every new version; of several that come while it runs, the last one. `state` is undefined where the document was deleted.
   * Versions only rise, but two instances may save at the same time: keep the higher one.
   * @default none
   */
  readonly save?: (document: {
    readonly key: string | undefined;
    readonly state: State | undefined;
    readonly version: number;
  }) => unknown;
  /**
   * How long the broker keeps a document that nobody reads, writes or watches. Milliseconds, at least 60,000.
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
    if (!(Number.isSafeInteger(keepMs) && keepMs >= 60_000))
      fail(`${name}.keepMs`, "expected a whole number of milliseconds, at least 60000");
    hooks.set(name, given);
  }
  return hooks;
}

function fail(name: string, sentence: string): never {
  throw new HoldfastError("INVALID_OPTION", `createServer: state.${name}: ${sentence}.`, { field: `state.${name}` });
}
