import { closeCode, closeNumber } from "@holdfast/protocol";
import type { Attempts, CloseInfo, ConnectionEvent, ConnectionState, Effect } from "./connection-state.js";
import { LASTING_MS, RENEWALS, retryAfterMs, retryDelay, type RetryLimits, SOON_MS } from "./retry-policy.js";
import type { SocketEnd } from "./socket.js";

/** What a transition may depend on besides state and event: the options, and the moment. */
export interface Conditions {
  readonly hasToken: boolean;
  readonly connectTimeoutMs: number;
  readonly retry: RetryLimits;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** At least 0, less than 1. */
  readonly random: number;
  readonly online: boolean;
}

export interface Transition {
  readonly state: ConnectionState;
  readonly effects: readonly Effect[];
}

/** The whole policy of connecting, without a clock, a socket or a promise. Events that do not matter in a state change nothing. */
export function transition(state: ConnectionState, event: ConnectionEvent, given: Conditions): Transition {
  switch (event.type) {
    case "connect":
      if (state.name === "waiting") return attempt({ ...state, attempt: state.attempt + 1 }, given);
      // Whoever connects by hand, perhaps after a login, starts with a clean slate.
      if (isOver(state)) return attempt({ attempt: 1, renewals: [] }, given);
      return stay(state);
    case "disconnect":
      if (state.name === "closed") return stay(state);
      return stop(state, "closed", { name: "DISCONNECTED", code: 1000, message: "disconnect() was called." }, 1000);
    case "token":
      if (state.name !== "preparing") return stay(state);
      if (event.token) return open(state, event.token, given);
      return stop(state, "unauthorized", { name: "NO_TOKEN", message: "The token function gave no token." });
    case "token_failed":
      if (state.name !== "preparing") return stay(state);
      return retry(
        state,
        { name: "TOKEN_FAILED", message: "The token could not be fetched.", error: event.error },
        given,
      );
    case "opened":
      if (state.name !== "opening") return stay(state);
      return {
        state: { ...attempts(state), name: "authenticating", deadline: given.now + given.connectTimeoutMs },
        effects: [{ do: "greet", token: state.token }],
      };
    case "refused":
      return stay(state.name === "authenticating" ? { ...state, refusal: event.error } : state);
    case "connected":
      if (state.name !== "authenticating") return stay(state);
      return stay({
        ...attempts(state),
        name: "ready",
        session: event.session,
        limits: event.limits,
        since: given.now,
      });
    case "mismatch":
      if (state.name !== "authenticating") return stay(state);
      return stop(
        state,
        "closed",
        { ...describe(closeNumber.UNSUPPORTED_PROTOCOL, event.error.message), error: event.error },
        closeNumber.UNSUPPORTED_PROTOCOL,
      );
    case "goaway":
      return stay(state.name === "ready" ? { ...state, goawayMs: event.delayMs } : state);
    case "ended":
      return ended(state, event.end, given);
    case "silent": {
      if (state.name !== "ready") return stay(state);
      const end = { code: closeNumber.HEARTBEAT_MISSED, reason: "" };
      const { state: next, effects } = ended(state, end, given);
      return { state: next, effects: [{ do: "close", ...end }, ...effects] };
    }
    case "deadline":
      return deadline(state, given);
    case "online":
    case "visible":
      if (state.name === "ready") return { state, effects: [{ do: "probe" }] };
      return stay(state.name === "waiting" ? hurry(state, given) : state);
    case "offline":
      // The platform's word alone ends nothing; it is heard when the next attempt is due.
      return stay(state);
    default:
      return event satisfies never;
  }
}

export function isOver(
  state: ConnectionState,
): state is Extract<ConnectionState, { name: "idle" | "unauthorized" | "closed" }> {
  return state.name === "idle" || state.name === "unauthorized" || state.name === "closed";
}

function attempt(made: Attempts, given: Conditions): Transition {
  if (!given.hasToken) return open(made, undefined, given);
  return {
    state: { ...attempts(made), name: "preparing", deadline: given.now + given.connectTimeoutMs },
    effects: [{ do: "fetch_token" }],
  };
}

function open(made: Attempts, token: string | undefined, given: Conditions): Transition {
  return {
    state: { ...attempts(made), name: "opening", token, deadline: given.now + given.connectTimeoutMs },
    effects: [{ do: "open" }],
  };
}

function deadline(state: ConnectionState, given: Conditions): Transition {
  switch (state.name) {
    case "preparing":
      return retry(
        state,
        { name: "TOKEN_FAILED", message: `The token function took longer than ${given.connectTimeoutMs} ms.` },
        given,
      );
    case "opening":
    case "authenticating": {
      const reason = {
        name: "CONNECT_TIMEOUT",
        message: `The server did not answer within ${given.connectTimeoutMs} ms.`,
      };
      // Read as 1006: a server that cannot answer in time meets everyone's retries at once.
      const { state: next } = retry(state, reason, given, { code: closeNumber.ABNORMAL, reason: "" });
      return { state: next, effects: [{ do: "close", code: closeNumber.HEARTBEAT_MISSED, reason: "connect timeout" }] };
    }
    case "waiting":
      // Put off once, and not for ever: platforms report offline on working networks.
      if (!given.online && !state.held) return stay({ ...state, held: true, deadline: given.now + given.retry.maxMs });
      return attempt({ ...state, attempt: state.attempt + 1 }, given);
    case "idle":
    case "ready":
    case "unauthorized":
    case "closed":
      return stay(state);
    default:
      return state satisfies never;
  }
}

/** The socket ended: the row of the close code decides. */
function ended(state: ConnectionState, end: SocketEnd, given: Conditions): Transition {
  if (state.name !== "opening" && state.name !== "authenticating" && state.name !== "ready") return stay(state);
  const row = closeCode(end.code);
  const refusal = state.name === "authenticating" ? state.refusal : undefined;
  const reason: CloseInfo = { ...describe(end.code, end.reason), error: refusal ?? end.cause };
  const lasted = state.name === "ready" && given.now - state.since >= LASTING_MS;
  const renewals = state.renewals.filter((at) => at > given.now - RENEWALS.withinMs);
  const made = { attempt: lasted ? 1 : state.attempt, renewals };
  switch (row.action) {
    case "stop":
      return stop(state, "closed", reason);
    case "new_token":
      if (!given.hasToken || renewals.length >= RENEWALS.most) return stop(state, "unauthorized", reason);
      return attempt({ attempt: made.attempt + 1, renewals: [...renewals, given.now] }, given);
    case "retry":
    case "retry_after":
      return retry(made, reason, given, end, state.name === "ready" ? state.goawayMs : undefined);
    default:
      return row.action satisfies never;
  }
}

function retry(made: Attempts, reason: CloseInfo, given: Conditions, end?: SocketEnd, goawayMs?: number): Transition {
  const row = end ? closeCode(end.code) : {};
  const hintMs = end && (end.retryAfterMs ?? retryAfterMs(end.reason));
  const delay = retryDelay(made.attempt, row, { random: given.random, hintMs, goawayMs }, given.retry);
  const [deadline, notBefore] = [given.now + delay.ms, given.now + delay.leastMs];
  return stay({ ...attempts(made), name: "waiting", deadline, reason, notBefore, held: false });
}

function hurry(state: Extract<ConnectionState, { name: "waiting" }>, given: Conditions): ConnectionState {
  const soon = Math.max(state.notBefore, given.now + given.random * SOON_MS);
  return soon < state.deadline ? { ...state, deadline: soon } : state;
}

function stop(state: ConnectionState, name: "closed" | "unauthorized", reason: CloseInfo, code?: number): Transition {
  const hasSocket = state.name === "opening" || state.name === "authenticating" || state.name === "ready";
  const close: Effect[] = code !== undefined && hasSocket ? [{ do: "close", code, reason: "" }] : [];
  return { state: { name, reason }, effects: close };
}

function stay(state: ConnectionState): Transition {
  return { state, effects: [] };
}

function attempts({ attempt, renewals }: Attempts): Attempts {
  return { attempt, renewals };
}

function describe(code: number, text: string): CloseInfo {
  const { name, meaning } = closeCode(code);
  const said = text && !text.startsWith("{") ? `: ${text.replace(/\.$/, "")}` : "";
  return { name, code, message: `The connection ended because ${meaning}${said}.` };
}
