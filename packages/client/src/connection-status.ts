import { HoldfastError } from "@holdfast/protocol";
import { remedyOf } from "./advice.js";
import type { CloseInfo, ConnectionState, Over, Status } from "./connection-state.js";

/** True if the client will not connect by itself. */
export function isOver(state: ConnectionState): state is Over {
  return state.name === "idle" || state.name === "unauthorized" || state.name === "closed";
}

/** The error for callers that wait for a connection when the client will not connect by itself. */
export function notConnected(state: Over): HoldfastError {
  const reason = "reason" in state ? state.reason : undefined;
  return missing(state, `The client is ${state.name}${reason ? `: ${reason.message}` : "."}`, reason);
}

/** True if the application called disconnect(). Calls that end because of it are not failures. */
export function wasAsked(state: ConnectionState): boolean {
  return state.name === "closed" && state.reason.name === "DISCONNECTED";
}

/**
 * The reason why there is no connection yet, for callers whose timeout is over. Undefined if the
 * client is connected or will not connect by itself.
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

/** `dueAt`: the date at which the state's timer expires. */
export function statusOf(state: ConnectionState, dueAt = 0): Status {
  // These states are public as they are.
  if (isOver(state)) return state;
  const { name } = state;
  if (name === "ready") return { name, ...state.session };
  const { attempt } = state.made;
  if (name === "waiting") return { name, attempt, retryAt: dueAt, reason: state.reason };
  return { name: name === "authenticating" ? name : "connecting", attempt };
}
