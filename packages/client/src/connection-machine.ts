import { closeCode, closeNumber } from "@holdfast/protocol";
import {
  type Attempts,
  type CloseInfo,
  type ConnectionEvent,
  type ConnectionState,
  isOver,
} from "./connection-state.js";
import { LASTING_MS, RENEWALS, retryAfterMs, retryDelay, type RetryLimits, SOON_MS } from "./retry-policy.js";
import type { SocketEnd } from "./socket.js";

/** What a transition may depend on besides state and event: the options, and the moment. */
export interface Conditions {
  readonly hasToken: boolean;
  /** Where the client connects to, as an error may say it. */
  readonly address: string;
  readonly connectTimeoutMs: number;
  readonly retry: RetryLimits;
  /** By the monotonic clock, as all moments of a state are. Milliseconds. */
  readonly time: number;
  /** At least 0, less than 1. */
  readonly random: number;
  readonly online: boolean;
}

/** The whole policy of connecting, without a clock, a socket or a promise. An event that does not matter in a state changes nothing. */
export function transition(state: ConnectionState, event: ConnectionEvent, given: Conditions): ConnectionState {
  const { time, random } = given;
  const deadline = time + given.connectTimeoutMs;
  switch (event.type) {
    case "connect":
      if (state.name === "waiting") return again(state.made, given);
      // Whoever connects by hand, perhaps after a login, starts with a clean slate.
      return isOver(state) ? again({ attempt: 0, renewals: [] }, given) : state;
    case "disconnect":
      if (state.name === "closed") return state;
      return { name: "closed", reason: { name: "DISCONNECTED", code: 1000, message: "disconnect() was called." } };
    case "token": {
      if (state.name !== "preparing") return state;
      const { token } = event;
      if (token) return { name: "opening", made: state.made, token, deadline };
      return { name: "unauthorized", reason: { name: "NO_TOKEN", message: "The token function gave no token." } };
    }
    case "token_failed": {
      if (state.name !== "preparing") return state;
      const reason = { name: "TOKEN_FAILED", message: "The token could not be fetched.", error: event.error };
      return wait(state.made, reason, given);
    }
    case "opened":
      return state.name === "opening" ? { ...state, name: "authenticating", deadline } : state;
    case "refused":
      return state.name === "authenticating" || state.name === "ready" ? { ...state, refusal: event.error } : state;
    case "connected": {
      if (state.name !== "authenticating") return state;
      const { session, limits } = event;
      return { name: "ready", made: state.made, session, limits, since: time };
    }
    case "goaway":
      return state.name === "ready" ? { ...state, goawayMs: event.delayMs } : state;
    case "unsendable": {
      const { error } = event;
      const reason = { name: "TOO_BIG", code: closeNumber.TOO_BIG, message: error.message, error };
      return isOver(state) ? state : { name: "closed", reason };
    }
    case "ended":
      return ended(state, event.end, given);
    case "deadline":
      return expired(state, given);
    case "online":
    case "visible": {
      if (state.name !== "waiting") return state;
      const soon = Math.max(state.notBefore, time + Math.ceil(random * SOON_MS));
      return soon < state.deadline ? { ...state, deadline: soon } : state;
    }
    default:
      // The platform's word alone ends nothing; it is heard when the next attempt is due.
      event satisfies { type: "offline" };
      return state;
  }
}

function again({ attempt, ...rest }: Attempts, { time, connectTimeoutMs, hasToken }: Conditions): ConnectionState {
  const made = { ...rest, attempt: attempt + 1 };
  return { name: hasToken ? "preparing" : "opening", made, deadline: time + connectTimeoutMs };
}

function expired(state: ConnectionState, given: Conditions): ConnectionState {
  const late = `did not answer within ${given.connectTimeoutMs} ms.`;
  switch (state.name) {
    case "preparing":
      return wait(state.made, { name: "TOKEN_FAILED", message: `The token function ${late}` }, given);
    case "opening":
    case "authenticating": {
      // Read as 1006: a server that cannot answer in time meets everyone's retries at once.
      const end = { code: closeNumber.ABNORMAL, reason: "" };
      return wait(state.made, { name: "CONNECT_TIMEOUT", message: `${given.address} ${late}` }, given, end);
    }
    case "waiting":
      // Put off once, and not for ever: platforms report offline on working networks.
      if (given.online || state.held) return again(state.made, given);
      return { ...state, held: true, deadline: given.time + given.retry.maxMs };
    default:
      // These wait for nothing.
      return state satisfies Extract<ConnectionState, { name: "idle" | "ready" | "unauthorized" | "closed" }>;
  }
}

/** The connection is over: the row of the close code decides. */
function ended(state: ConnectionState, end: SocketEnd, given: Conditions): ConnectionState {
  if (state.name !== "opening" && state.name !== "authenticating" && state.name !== "ready") return state;
  const { time } = given;
  const { action } = closeCode(end.code);
  const refusal = "refusal" in state ? state.refusal : undefined;
  const reason = { ...describe(end.code, end.reason, given.address), error: refusal ?? end.cause };
  const lasted = state.name === "ready" && time - state.since >= LASTING_MS;
  const attempt = lasted ? 1 : state.made.attempt;
  const renewals = state.made.renewals.filter((at) => at > time - RENEWALS.withinMs);
  switch (action) {
    case "stop":
      return { name: "closed", reason };
    case "new_token":
      // Without a token option there is nothing to renew, and the server's words say what it misses.
      if (!given.hasToken || renewals.length >= RENEWALS.most) return { name: "unauthorized", reason };
      return again({ attempt, renewals: [...renewals, time], failure: reason }, given);
    case "retry":
    case "retry_after": {
      const goawayMs = state.name === "ready" ? state.goawayMs : undefined;
      return wait({ attempt, renewals }, reason, given, { ...end, goawayMs });
    }
    default:
      return action satisfies never;
  }
}

function wait(
  made: Attempts,
  reason: CloseInfo,
  { time, random, retry }: Conditions,
  end?: SocketEnd & { goawayMs?: number | undefined },
): ConnectionState {
  const hintMs = end && (end.retryAfterMs ?? retryAfterMs(end.reason));
  const draw = { random, hintMs, goawayMs: end?.goawayMs };
  const { ms, leastMs } = retryDelay(made.attempt, end ? closeCode(end.code) : {}, draw, retry);
  return {
    name: "waiting",
    made: { ...made, failure: reason },
    reason,
    deadline: time + ms,
    notBefore: time + leastMs,
    held: false,
  };
}

function describe(code: number, text: string, address: string): CloseInfo {
  const { name, meaning } = closeCode(code);
  // What the other side said of it says more than the table does, unless it is a hint for machines.
  const said = text && !text.startsWith("{") ? `: ${text.replace(/\.$/, "")}` : ` because ${meaning}`;
  return { name, code, message: `The connection to ${address} ended${said}.` };
}
