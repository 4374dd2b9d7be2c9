import { type ClientMessage, HoldfastError } from "@holdfast/protocol";
import { isOver, transition } from "./connection-machine.js";
import {
  type ConnectionEvent,
  type ConnectionState,
  type Effect,
  type Limits,
  type Status,
  statusOf,
} from "./connection-state.js";
import type { Cancel } from "./clock.js";
import type { Environment } from "./environment.js";
import { createHeartbeat } from "./heartbeat.js";
import { type Observable, type OnFault, store } from "./observable.js";
import type { Logger, Settings, TokenSource } from "./options.js";
import type { Socket, SocketTarget } from "./socket.js";

/** Runs the machine: one timer, one socket, one token on its way, and the parts told what they can do. */
export interface Connection {
  readonly status: Observable<Status>;
  dispatch(event: ConnectionEvent): void;
  /** Sends a frame; without a socket it is dropped, so callers wait for their link. */
  send(frame: string): void;
}

/** What the parts may do at present. */
export type Link =
  /** No connection will come by itself. */
  | { readonly name: "over"; readonly error: HoldfastError; /** Not by disconnect(). */ readonly lost?: boolean }
  /** One is being made. */
  | { readonly name: "down" }
  /** Whatever is sent now is handled right behind `auth`. */
  | { readonly name: "greeted" }
  | { readonly name: "ready"; readonly limits: Limits };

/** Before the first attempt. */
export const NOT_YET: Link = {
  name: "over",
  error: new HoldfastError("NOT_CONNECTED", "The client is not connected."),
};

export interface ConnectionParts {
  readonly environment: Environment;
  readonly settings: Settings;
  readonly token: TokenSource | undefined;
  readonly deviceId: string | undefined;
  readonly target: SocketTarget;
  readonly encode: (message: ClientMessage) => string;
  readonly logger: Logger;
  readonly onFrame: (frame: string | Uint8Array) => void;
  readonly onLink: (link: Link) => void;
  readonly onFault: OnFault;
}

export function createConnection(parts: ConnectionParts): Connection {
  const { environment, settings, logger } = parts;
  const { clock } = environment;
  let state: ConnectionState = { name: "idle" };
  let socket: Socket | undefined;
  let timer: { at: number; cancel: Cancel } | undefined;
  let stopHints: Cancel | undefined;
  /** Only the newest token counts: an older one belongs to an attempt that was given up. */
  let fetches = 0;
  /** The session to continue; the server decides whether it can be. */
  let sessionId: string | undefined;
  const status = store<Status>(statusOf(state), parts.onFault);
  const heartbeat = createHeartbeat(clock, {
    ping: () => send(parts.encode({ type: "ping", correlation_id: "probe" })),
    silent: () => dispatch({ type: "silent" }),
  });

  const events: ConnectionEvent[] = [];
  let running = false;
  const dispatch = (event: ConnectionEvent): void => {
    // One event at a time: an effect may cause the next one while the parts have not heard of this one yet.
    events.push(event);
    if (running) return;
    running = true;
    try {
      for (let next; (next = events.shift());) step(next);
    } finally {
      running = false;
    }
    // Last, when everything is settled: a listener may call connect(), disconnect() or request().
    const now = statusOf(state);
    if (!same(now, status.get())) status.set(now);
  };

  const step = (event: ConnectionEvent): void => {
    const before = state;
    const next = transition(before, event, {
      ...settings,
      hasToken: parts.token !== undefined,
      now: clock.now(),
      random: environment.random(),
      online: environment.hints.isOnline(),
    });
    state = next.state;
    if (state.name !== before.name) {
      const reason = "reason" in state ? { code: state.reason.code, reason: state.reason.message } : {};
      logger.debug({ from: before.name, to: state.name, ...reason }, "The connection changed.");
    }
    arm();
    for (const effect of next.effects) run(effect);
    const link = linkOf(state);
    if (link.name !== linkOf(before).name) {
      if (state.name === "ready") {
        sessionId = state.session.sessionId;
        heartbeat.start(state.limits.silenceMs);
      } else heartbeat.stop();
      parts.onLink(link);
    }
  };

  /** The timer and the hints belong to the state: entering starts them, leaving ends them. */
  const arm = (): void => {
    const at = "deadline" in state ? state.deadline : undefined;
    if (at !== timer?.at) {
      timer?.cancel();
      timer = at === undefined ? undefined : { at, cancel: clock.after(at - clock.now(), expire) };
    }
    if (isOver(state)) {
      stopHints?.();
      stopHints = undefined;
    } else stopHints ??= environment.hints.subscribe((hint) => dispatch({ type: hint }));
  };
  const expire = (): void => {
    timer = undefined;
    dispatch({ type: "deadline" });
  };

  const run = (effect: Effect): void => {
    switch (effect.do) {
      case "fetch_token":
        return fetchToken();
      case "open":
        socket = environment.openSocket(
          parts.target,
          {
            open: () => dispatch({ type: "opened" }),
            message(frame) {
              heartbeat.heard();
              parts.onFrame(frame);
            },
            end(end) {
              socket = undefined;
              dispatch({ type: "ended", end });
            },
          },
          clock,
        );
        return;
      case "greet":
        if (effect.token === undefined) return;
        return send(
          parts.encode({
            type: "auth",
            data: { token: effect.token, device_id: parts.deviceId, session_id: sessionId },
          }),
        );
      case "probe":
        return heartbeat.probe();
      case "close": {
        const closing = socket;
        socket = undefined;
        return closing?.close(effect.code, effect.reason);
      }
      default:
        return effect satisfies never;
    }
  };

  const fetchToken = (): void => {
    const fetch = ++fetches;
    const { token } = parts;
    const report = (event: ConnectionEvent): void => void (fetch === fetches && dispatch(event));
    // Inside the chain, so that a function that throws is a rejection like any other.
    Promise.resolve()
      .then(() => (typeof token === "function" ? token() : token))
      .then((value) => {
        if (value && typeof value !== "string") throw new TypeError("The token function must give a string.");
        report({ type: "token", token: value });
      })
      .catch((error: unknown) => {
        logger.warn({ error }, "The token could not be fetched.");
        report({ type: "token_failed", error });
      });
  };

  const send = (frame: string): void => socket?.send(frame);

  return { status, dispatch, send };
}

function linkOf(state: ConnectionState): Link {
  switch (state.name) {
    case "idle":
      return NOT_YET;
    case "unauthorized":
    case "closed": {
      const { name, message, error: cause } = state.reason;
      const error = new HoldfastError("NOT_CONNECTED", `The client is ${state.name}: ${message}`, { cause });
      return { name: "over", error, lost: name !== "DISCONNECTED" };
    }
    case "preparing":
    case "opening":
    case "waiting":
      return { name: "down" };
    case "authenticating":
      return { name: "greeted" };
    case "ready":
      return { name: "ready", limits: state.limits };
    default:
      return state satisfies never;
  }
}

/** Steps inside one public status, such as from fetching the token to opening the socket, are no change to anyone outside. */
function same(a: object, b: object): boolean {
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return (
    left.length === right.length && left.every(([key, value]) => Object.is(value, (b as Record<string, unknown>)[key]))
  );
}
