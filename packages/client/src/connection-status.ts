import { HoldfastError } from "@holdfast/protocol";
import { remedyOf } from "./advice.js";
import type { CloseInfo, ConnectionState, Over, Status } from "./connection-state.js";

/** True if the client will not connect by itself. */
export function isOver(state: ConnectionState): state is Over {
  return state.name === "idle" || state.name === "unauthorized" || state.name === "closed";
}

/** The error for callers that wait for a connection while the client will not connect by itself. */
export function notConnected(state: Over): HoldfastError {
  const reason = "reason" in state ? state.reason : undefined;
  return missing(state, `The client is ${state.name}${reason ? `: ${reason.message}` : "."}`, reason);
}

/**
 * True if the application called disconnect(). Calls that end because of disconnect() are not
 * failures.
 */
export function wasAsked(state: ConnectionState): boolean {
  return state.name === "closed" && state.reason.name === "DISCONNECTED";
}

/**
 * The error of a client that is still trying to connect, for callers whose timeout is over: the
 * last failure, or "no answer yet". Undefined in the states `idle`, `ready`, `unauthorized` and
 * `closed`.
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

/** `dueAt`: the time at which the state's timer expires, in milliseconds since 1970. */
export function statusOf(state: ConnectionState, dueAt = 0): Status {
  // These states are part of the public status unchanged.
  if (isOver(state)) return state;
  const { name } = state;
  if (name === "ready") return { name, ...state.session };
  const { attempt } = state.made;
  if (name === "waiting") return { name, attempt, retryAt: dueAt, reason: state.reason };
  return { name: name === "authenticating" ? name : "connecting", attempt };
}
