import { type Cancel, type ClientMessage, closeNumber, type HoldfastError } from "@holdfast/protocol";
import { checkToken, tokenFault } from "./check-options.js";
import { transition } from "./connection-machine.js";
import type { ConnectionEvent, ConnectionState, Status } from "./connection-state.js";
import { isOver, statusOf } from "./connection-status.js";
import type { ClientEnvironment } from "./environment.js";
import { createHeartbeat } from "./heartbeat.js";
import { type Observable, type OnFault, store } from "./observable.js";
import type { BaseOptions, Logger, ClientSettings } from "./options.js";
import { watchPolicy } from "./policy-watch.js";
import { createSendable, type Sendable } from "./sendable.js";
import type { Socket, SocketEnd, SocketTarget } from "./socket-contract.js";

/**
 * Runs the machine: one timer, one socket, one token on its way, and the parts told of every new
 * state.
 */
export interface ConnectionRunner {
  readonly status: Observable<Status>;
  dispatch(event: ConnectionEvent): void;
  /**
   * Sends a frame; without a socket it is dropped, so callers wait for their state. A frame that
   * this server would refuse for its size is reported instead, and never sent.
   */
  send(frame: string): void;
  readonly sendable: Pick<Sendable, "split" | "fault">;
  /** Tells this connection from those before and after it. */
  readonly link: object | undefined;
  /**
   * Sends a newer token on the live connection: the server has said that the one it knows is about
   * to end.
   */
  renew(): void;
  /** So many handlers of events do not finish; the status says so. */
  count(stuckHandlers: number): void;
}

export interface ConnectionParts {
  readonly environment: ClientEnvironment;
  readonly settings: ClientSettings;
  readonly options: Pick<BaseOptions, "token" | "deviceId">;
  readonly target: () => SocketTarget;
  /** Where it leads to, as an error may say it. */
  readonly address: string;
  readonly encode: (message: ClientMessage) => string;
  readonly logger: Logger;
  readonly onFrame: (frame: string | Uint8Array) => void;
  /** A state was entered, and what it does on entering is done. */
  readonly onState: (state: ConnectionState) => void;
  readonly onFault: OnFault;
  /** A message was not sent, because it is too large. */
  readonly onUnsent: (error: HoldfastError, message?: { channel?: string; correlation_id?: string }) => void;
}

export function createConnection(parts: ConnectionParts): ConnectionRunner {
  const { environment, settings, logger, encode } = parts;
  const { token: source, deviceId } = parts.options;
  const { clock } = environment;
  let state: ConnectionState = { name: "idle" };
  let socket: Socket | undefined;
  /** `dueAt` is `at` as a date. */
  let timer: { at: number; dueAt: number; cancel: Cancel } | undefined;
  let stopHints: Cancel | undefined;
  let stopPolicy: Cancel | undefined;
  /**
   * The socket that a newer token is fetched for: one at a time, and one that never comes holds up
   * no other socket.
   */
  let renewing: Socket | undefined;
  /** The session to continue; the server decides whether it can be. */
  let sessionId: string | undefined;
  const sendable = createSendable();
  /** Frames that wait for the greeting. */
  let held: string[] = [];
  let stuckHandlers = 0;
  const status = store<Status>(statusOf(state), parts.onFault);
  const heartbeat = createHeartbeat(clock, {
    ping: () => send(encode({ type: "ping", correlation_id: "probe" })),
    silent: () => dispatch({ type: "ended", end: { code: closeNumber.HEARTBEAT_MISSED, reason: "" } }),
  });

  const events: ConnectionEvent[] = [];
  let running = false;
  const dispatch = (event: ConnectionEvent): void => {
    // One event at a time: what a state does may cause the next event while the parts have not
    // heard of this one yet.
    events.push(event);
    if (running) return;
    running = true;
    try {
      for (let next; (next = events.shift());) step(next);
    } finally {
      running = false;
    }
    // Last, when everything is settled: a listener may call connect(), disconnect() or request().
    tell();
  };

  const tell = (): void => {
    const now = { ...statusOf(state, timer?.dueAt), ...(stuckHandlers > 0 && { stuckHandlers }) };
    if (!same(now, status.get())) status.set(now);
  };

  const step = (event: ConnectionEvent): void => {
    const before = state.name;
    state = transition(state, event, {
      ...settings,
      address: parts.address,
      hasToken: source !== undefined,
      time: clock.monotonic(),
      random: environment.random(),
      online: environment.hints.isOnline(),
    });
    arm();
    if (state.name === before) return;
    logger.debug({ from: before, to: state.name, ...("reason" in state && state.reason) }, "The connection changed.");
    enter();
    parts.onState(state);
  };

  /** Timer and hints belong to the state, too: entering starts them, leaving ends them. */
  const arm = (): void => {
    const at = "deadline" in state ? state.deadline : undefined;
    if (at !== timer?.at) {
      timer?.cancel();
      const ms = at! - clock.monotonic();
      // oxlint-disable-next-line no-restricted-properties -- a date for display
      timer = at === undefined ? at : { at, dueAt: Math.round(clock.now() + ms), cancel: clock.after(ms, expire) };
    }
    if (isOver(state)) {
      stopHints?.();
      stopHints = undefined;
    } else {
      stopHints ??= environment.hints.subscribe((hint) => {
        if (hint !== "offline") heartbeat.probe();
        dispatch({ type: hint });
      });
    }
  };
  const expire = (): void => {
    timer = undefined;
    dispatch({ type: "deadline" });
  };

  /** What each state does. */
  const enter = (): void => {
    heartbeat.stop();
    switch (state.name) {
      case "preparing": {
        const attempt = state;
        // A token that comes late belongs to an attempt that was given up.
        return fetchToken((event) => void (state === attempt && dispatch(event)));
      }
      case "opening":
        return open(state.token);
      case "authenticating":
        return leave(authOf(state.token, sessionId));
      case "ready": {
        sessionId = state.session.sessionId;
        heartbeat.start(state.limits.silenceMs);
        sendable.greeted(state.limits.messageBytes);
        const waited = held;
        held = [];
        return waited.forEach(send);
      }
      case "waiting":
      case "unauthorized":
      case "closed":
        // Where it was not the socket's end that led here, the socket is still there.
        return drop()?.close(state.reason.code ?? closeNumber.HEARTBEAT_MISSED, "");
      default:
        state satisfies { name: "idle" };
    }
  };

  const drop = (): Socket | undefined => {
    const left = socket;
    socket = undefined;
    stopPolicy?.();
    return left;
  };

  const fetchToken = (report: (event: TokenEvent) => void): void => {
    // Inside the chain, so that a function that throws is a rejection like any other.
    Promise.resolve()
      .then(() => (typeof source === "function" ? source() : source))
      .then((value) => {
        checkToken(value);
        report({ type: "token", token: value });
      })
      .catch((error: unknown) => {
        logger.warn({ error }, "The token could not be fetched.");
        report({ type: "token_failed", error });
      });
  };

  const renew = (): void => {
    const link = socket;
    if (typeof source !== "function" || renewing === link) return;
    renewing = link;
    fetchToken((event) => {
      if (renewing === link) renewing = undefined;
      // For this connection only; the next one fetches its own. A failure was logged, and the
      // server asks again.
      if (event.type !== "token" || !event.token || socket !== link) return;
      const auth = authOf(event.token);
      const error = tokenFault(event.token) ?? sendable.fault(auth, "auth", "token");
      if (error) parts.onUnsent(error);
      else leave(auth);
    });
  };

  const authOf = (token: string | undefined, session_id?: string): string =>
    encode({ type: "auth", data: { token, device_id: deviceId, session_id } });

  const open = (token: string | undefined): void => {
    held = [];
    const error = tokenFault(token) ?? sendable.open(authOf(token, sessionId));
    if (error) return dispatch({ type: "unsendable", error });
    const listener = {
      open: () => dispatch({ type: "opened" }),
      message(frame: string | Uint8Array) {
        heartbeat.heard();
        parts.onFrame(frame);
      },
      end(end: SocketEnd) {
        drop();
        const error = end.code === closeNumber.TOO_BIG ? sendable.tooBig() : undefined;
        dispatch(error ? { type: "unsendable", error } : { type: "ended", end });
      },
    };
    // POLICY, because trying again would fail in the same way.
    const refused = (reason: string, cause?: unknown): void =>
      dispatch({ type: "ended", end: { code: closeNumber.POLICY, reason, cause } });
    try {
      const target = parts.target();
      stopPolicy = watchPolicy(target.url, refused);
      socket = environment.openSocket(target, listener, clock);
    } catch (error) {
      refused((error as Error).message, error);
    }
  };

  const send = (frame: string): void => {
    if (state.name === "authenticating" && !sendable.isEarly(frame)) return void held.push(frame);
    const error = sendable.fault(frame);
    if (error) parts.onUnsent(error, JSON.parse(frame) as object);
    else leave(frame);
  };

  const leave = (frame: string): void => {
    sendable.sent(frame);
    socket?.send(frame);
  };

  return {
    status,
    dispatch,
    send,
    renew,
    sendable,
    count(stuck) {
      stuckHandlers = stuck;
      // Otherwise a step is under way, which ends with it.
      if (!running) tell();
    },
    get link() {
      return socket;
    },
  };
}

type TokenEvent = Extract<ConnectionEvent, { type: "token" | "token_failed" }>;

/**
 * Steps inside one public status, such as from fetching the token to opening the socket, are no
 * change to anyone outside.
 */
function same(a: object, b: object): boolean {
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return (
    left.length === right.length && left.every(([key, value]) => Object.is(value, (b as Record<string, unknown>)[key]))
  );
}
