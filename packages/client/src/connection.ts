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
 * Runs the state machine of connection-machine.ts. The runner owns the effects: the timer, the
 * socket and the token fetches. There is at most one timer and one socket at a time. The other
 * parts of the client are notified after each change to another state.
 */
export interface ConnectionRunner {
  readonly status: Observable<Status>;
  dispatch(event: ConnectionEvent): void;
  /**
   * Sends a frame. If there is no socket, the frame is dropped, so callers send only in
   * `authenticating` and `ready`. If the frame is larger than the server accepts, the frame is
   * reported and not sent.
   */
  send(frame: string): void;
  readonly sendable: Pick<Sendable, "split" | "fault">;
  /**
   * An object that identifies the current connection; another connection has another object.
   * Undefined if there is no socket.
   */
  readonly link: object | undefined;
  /**
   * Fetches a newer token and sends the token on the live connection, because the server announced
   * that the current token expires. Does nothing if `token` is not a function, or if a fetch for
   * this connection is running.
   */
  renew(): void;
  /** Updates the number of stuck handlers in the status. */
  count(stuckHandlers: number): void;
}

export interface ConnectionParts {
  readonly environment: ClientEnvironment;
  readonly settings: ClientSettings;
  readonly options: Pick<BaseOptions, "token" | "deviceId">;
  readonly target: () => SocketTarget;
  /** The server's address for error texts, without user, password and query. */
  readonly address: string;
  readonly encode: (message: ClientMessage) => string;
  readonly logger: Logger;
  readonly onFrame: (frame: string | Uint8Array) => void;
  /** Called after a state was entered and its effects have run. */
  readonly onState: (state: ConnectionState) => void;
  readonly onFault: OnFault;
  /** Called when a message was not sent because of its size. */
  readonly onUnsent: (error: HoldfastError, message?: { channel?: string; correlation_id?: string }) => void;
}

export function createConnection(parts: ConnectionParts): ConnectionRunner {
  const { environment, settings, logger, encode } = parts;
  const { token: source, deviceId } = parts.options;
  const { clock } = environment;
  let state: ConnectionState = { name: "idle" };
  let socket: Socket | undefined;
  /** `at`: by the monotonic clock. `dueAt`: the same time in milliseconds since 1970. */
  let timer: { at: number; dueAt: number; cancel: Cancel } | undefined;
  let stopHints: Cancel | undefined;
  let stopPolicy: Cancel | undefined;
  /**
   * The socket that a newer token is being fetched for. One fetch runs per socket, so a token
   * function that never returns does not block the next connection.
   */
  let renewing: Socket | undefined;
  /** The session to resume, undefined before the first. The server decides whether to resume. */
  let sessionId: string | undefined;
  const sendable = createSendable();
  /** Frames that wait for the server's greeting (`connected`). */
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
    // Handles one event at a time: an effect of a state may dispatch the next event before the
    // other parts were notified of this event.
    events.push(event);
    if (running) return;
    running = true;
    try {
      for (let next; (next = events.shift());) step(next);
    } finally {
      running = false;
    }
    // Last, when all parts are up to date, because a listener may call connect(), disconnect() or
    // request().
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
    logger.debug({ from: before, to: state.name, ...("reason" in state && state.reason) }, "connection changed");
    enter();
    parts.onState(state);
  };

  /**
   * Sets the timer to the state's deadline, and listens to hints while the client connects by
   * itself.
   */
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

  /** Runs the effects of the state that was just entered. */
  const enter = (): void => {
    heartbeat.stop();
    switch (state.name) {
      case "preparing": {
        const attempt = state;
        // A late token belongs to an attempt that was abandoned.
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
        // The socket is still open if a timeout, `disconnect()` or an error of the client ended the
        // connection.
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
    // Called inside the promise chain, so that a function that throws becomes a rejection.
    Promise.resolve()
      .then(() => (typeof source === "function" ? source() : source))
      .then((value) => {
        checkToken(value);
        report({ type: "token", token: value });
      })
      .catch((error: unknown) => {
        logger.warn({ error }, "token function failed");
        report({ type: "token_failed", error });
      });
  };

  const renew = (): void => {
    const link = socket;
    if (typeof source !== "function" || renewing === link) return;
    renewing = link;
    fetchToken((event) => {
      if (renewing === link) renewing = undefined;
      // The token is for this connection only, because the next connection fetches its own token.
      // If the fetch failed, the failure was logged, and the server sends `auth_expiring` again.
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
    // Close code POLICY stops the client, because a retry would fail in the same way.
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
      // A running `dispatch` updates the status at its end.
      if (!running) tell();
    },
    get link() {
      return socket;
    },
  };
}

type TokenEvent = Extract<ConnectionEvent, { type: "token" | "token_failed" }>;

/**
 * Compares two statuses. Internal steps that share one public status, such as fetching the token
 * and opening the socket, do not notify listeners.
 */
function same(a: object, b: object): boolean {
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return (
    left.length === right.length && left.every(([key, value]) => Object.is(value, (b as Record<string, unknown>)[key]))
  );
}
