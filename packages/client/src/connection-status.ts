import { HoldfastError } from "@holdfast/protocol";
import { remedyOf } from "./advice.js";
import type { CloseInfo, ConnectionState, Over, Status } from "./connection-state.js";

/** Whether no connection will come by itself. */
export function isOver(state: ConnectionState): state is Over {
  return state.name === "idle" || state.name === "unauthorized" || state.name === "closed";
}

/** What whoever waits for a connection is told when none will come. */
export function notConnected(state: Over): HoldfastError {
  const reason = "reason" in state ? state.reason : undefined;
  return missing(state, `The client is ${state.name}${reason ? `: ${reason.message}` : "."}`, reason);
}

/** Whether the application itself ended it. Nothing that ends with it is a failure. */
export function wasAsked(state: ConnectionState): boolean {
  return state.name === "closed" && state.reason.name === "DISCONNECTED";
}

/**
 * Why there is no connection yet, for those who have waited long enough; undefined if there is one.
 */
export function whyNotYet(state: ConnectionState, address: string): HoldfastError | undefined {
  if (state.name === "ready" || isOver(state)) return undefined;
  const failure = state.name === "waiting" ? state.reason : state.made.failure;
  return missing(state, failure?.message ?? `No answer from ${address} yet.`, failure, address);
}

function missing(state: ConnectionState, sentence: string, failure?: CloseInfo, address = ""): HoldfastError {
  return new HoldfastError("NOT_CONNECTED", sentence, {
    cause: failure?.error ?? failure,
    remedy: remedyOf(state, address, failure?.name),
  });
}

/** `dueAt`: when its timer runs off, as a date. */
export function statusOf(state: ConnectionState, dueAt = 0): Status {
  // These say all of themselves.
  if (isOver(state)) return state;
  const { name } = state;
  if (name === "ready") return { name, ...state.session };
  const { attempt } = state.made;
  if (name === "waiting") return { name, attempt, retryAt: dueAt, reason: state.reason };
  return { name: name === "authenticating" ? name : "connecting", attempt };
}
