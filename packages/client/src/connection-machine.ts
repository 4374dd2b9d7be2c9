import { closeCode, closeNumber } from "@holdfast/protocol";
import type { Attempts, CloseInfo, CloseInfoName, ConnectionEvent, ConnectionState } from "./connection-state.js";
import { LASTING_MS, RENEWALS, retryAfterMs, retryDelay, type RetryLimits, SOON_MS } from "./retry-policy.js";
import type { SocketEnd } from "./socket-contract.js";

/**
 * The inputs of a transition besides state and event: the options, and the environment's current
 * time, random number and network state.
 */
export interface Conditions {
  readonly hasToken: boolean;
  /** The server's address for error texts, without user, password and query. */
  readonly address: string;
  readonly connectTimeoutMs: number;
  readonly retry: RetryLimits;
  /** The current time of the monotonic clock, which all times in a state refer to. Milliseconds. */
  readonly time: number;
  /** At least 0, less than 1. */
  readonly random: number;
  readonly online: boolean;
}

type In<Name> = Extract<ConnectionState, { name: Name }>;
type On<Type> = Extract<ConnectionEvent, { type: Type }>;
type Reaction<State, Event> = (state: State, event: Event, given: Conditions) => ConnectionState;

/**
 * The complete connection policy as a pure function, without a clock, socket or promise. If the
 * current state has no reaction to the event, the state stays unchanged.
 */
export function transition(state: ConnectionState, event: ConnectionEvent, given: Conditions): ConnectionState {
  const react = reactions[state.name][event.type] as Reaction<ConnectionState, ConnectionEvent> | undefined;
  return react?.(state, event, given) ?? state;
}

/**
 * Starts with attempt 1 and no renewals, because an application that calls connect() may have
 * logged in meanwhile.
 */
const connect: Reaction<unknown, unknown> = (_state, _event, given) => again({ attempt: 0, renewals: [] }, given);

const disconnect: Reaction<unknown, unknown> = () => ({
  name: "closed",
  reason: { name: "DISCONNECTED", code: closeNumber.NORMAL, message: "disconnect() was called." },
});

const unsendable: Reaction<unknown, On<"unsendable">> = (_state, { error }) => ({
  name: "closed",
  reason: { name: "TOO_BIG", code: closeNumber.TOO_BIG, message: error.message, error },
});

const refused: Reaction<In<"authenticating" | "ready">, On<"refused">> = (state, { error }) => ({
  ...state,
  refusal: error,
});

const unanswered: Reaction<In<"opening" | "authenticating">, unknown> = ({ made }, _event, given) =>
  // Treated as close code 1006 with its wide first retry window, because a server that is too slow
  // to answer would otherwise receive the retries of all clients at once.
  wait(made, late("CONNECT_TIMEOUT", given.address, given), given, { code: closeNumber.ABNORMAL, reason: "" });

const hurry: Reaction<In<"waiting">, unknown> = (state, _event, { time, random }) => {
  const soon = Math.max(state.notBefore, time + Math.ceil(random * SOON_MS));
  return soon < state.deadline ? { ...state, deadline: soon } : state;
};

/**
 * The socket has ended. The action of its close code in the close-code table decides the next
 * state.
 */
const ended: Reaction<In<"opening" | "authenticating" | "ready">, On<"ended">> = (state, { end }, given) => {
  const { time } = given;
  const { made, refusal, since = time, goawayMs } = state as Partial<Omit<In<"ready">, "name">> & { made: Attempts };
  const { name, action, meaning } = closeCode(end.code);
  // The server's reason is more specific than the table's meaning, unless the reason is empty or a
  // JSON hint.
  const said = /^[^{]/.test(end.reason) ? `: ${end.reason.replace(/\.$/, "")}` : ` because ${meaning}`;
  const message = `The connection to ${given.address} ended${said}.`;
  const reason = { name, code: end.code, message, error: refusal ?? end.cause };
  const attempt = time - since < LASTING_MS ? made.attempt : 1;
  const renewals = made.renewals.filter((at) => at > time - RENEWALS.withinMs);
  if (action === "stop") return { name: "closed", reason };
  if (action !== "new_token") return wait({ attempt, renewals }, reason, given, { ...end, goawayMs });
  // Without a `token` option there is no token to renew. `reason` carries the server's error.
  if (!given.hasToken || renewals.length >= RENEWALS.most) return { name: "unauthorized", reason };
  return again({ attempt, renewals: [...renewals, time], failure: reason }, given);
};

/**
 * The reaction of each state to each event. The platform's hints never end a connection. If the
 * platform is offline when an attempt is due, the attempt is postponed once.
 */
const reactions: {
  readonly [Name in ConnectionState["name"]]: {
    readonly [Type in ConnectionEvent["type"]]?: Reaction<In<Name>, On<Type>>;
  };
} = {
  idle: { connect, disconnect },
  preparing: {
    disconnect,
    unsendable,
    token: ({ made }, { token }, given) =>
      token
        ? { name: "opening", made, token, deadline: dueAt(given) }
        : { name: "unauthorized", reason: { name: "NO_TOKEN", message: "The token function returned no token." } },
    token_failed: ({ made }, { error }, given) =>
      wait(made, { name: "TOKEN_FAILED", message: "The token function failed.", error }, given),
    deadline: ({ made }, _event, given) => wait(made, late("TOKEN_FAILED", "The token function", given), given),
  },
  opening: {
    disconnect,
    unsendable,
    ended,
    opened: (state, _event, given) => ({ ...state, name: "authenticating", deadline: dueAt(given) }),
    deadline: unanswered,
  },
  authenticating: {
    disconnect,
    unsendable,
    ended,
    refused,
    connected: ({ made }, { session, limits }, { time }) => ({ name: "ready", made, session, limits, since: time }),
    deadline: unanswered,
  },
  ready: { disconnect, unsendable, ended, refused, goaway: (state, { delayMs }) => ({ ...state, goawayMs: delayMs }) },
  waiting: {
    disconnect,
    unsendable,
    connect: ({ made }, _event, given) => again(made, given),
    online: hurry,
    visible: hurry,
    // The attempt is postponed only once, because some platforms report `offline` on working
    // networks.
    deadline: (state, _event, given) =>
      given.online || state.held
        ? again(state.made, given)
        : { ...state, held: true, deadline: given.time + given.retry.maxMs },
  },
  unauthorized: { connect, disconnect },
  closed: { connect },
};

/** The deadline of the step that begins now. */
function dueAt({ time, connectTimeoutMs }: Conditions): number {
  return time + connectTimeoutMs;
}

function late(name: CloseInfoName, who: string, { connectTimeoutMs }: Conditions): CloseInfo {
  return { name, message: `${who} did not answer within ${connectTimeoutMs} ms.` };
}

function again({ attempt, ...rest }: Attempts, given: Conditions): ConnectionState {
  const made = { ...rest, attempt: attempt + 1 };
  return { name: given.hasToken ? "preparing" : "opening", made, deadline: dueAt(given) };
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
