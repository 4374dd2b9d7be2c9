import {
  type ChannelName,
  type DirectName,
  HoldfastError,
  type KeyArguments,
  type ParametersOf,
  type ProtocolDefinition,
  type RequestName,
  type SentDirectOf,
} from "@holdfast/protocol";
import type { Identity } from "./session/identity.js";
import type { ChannelHandle } from "./channel/channel-handle.js";
import type { Published } from "./channel/published.js";
import type { Handler, Middleware } from "./dispatch/handlers.js";
import type { ServerStats } from "./observe/stats.js";
import type { Session, SessionEvent } from "./session/session.js";
import type { SessionHandle } from "./session/session-handle.js";
import type { UserHandle } from "./session/user-handle.js";
import type { HttpServer, Listening, ListenOptions } from "./transport/listen.js";
import type { Admission } from "./transport/socket.js";

export interface AttachOptions {
  /**
   * The path of the WebSocket endpoint. Upgrades on other paths are left to other listeners of the
   * http server.
   * @default "/ws"
   */
  readonly path?: string;
}

export interface CloseOptions {
  /**
   * How long running requests may take to finish, and then how long documents may take to be
   * changed and saved, in milliseconds.
   * @default 5_000
   */
  readonly graceMs?: number;
}

/**
 * A server of one protocol. `I` is the type that `authenticate` returns, `Data` the type that
 * `sessionData` returns.
 */
export interface Server<P extends ProtocolDefinition, I = unknown, Data = unknown> {
  /**
   * Sets the handler of a request.
   *
   * @throws HoldfastError INVALID_OPTION if the request already has a handler
   */
  handle<N extends RequestName<P>>(name: N, handler: Handler<P, N, I, Data>): void;
  /**
   * Adds a middleware that runs around every handler. The first middleware added is the outermost.
   */
  use(middleware: Middleware<I, ParametersOf<P>, Data>): void;
  /**
   * Returns a handle to publish on a channel.
   *
   * @throws HoldfastError UNKNOWN_CHANNEL if the protocol has no such channel, or the key is
   *   invalid
   */
  channel<C extends ChannelName<P>>(name: C, ...key: KeyArguments<P, C>): ChannelHandle<P, C>;
  /**
   * Sends a direct event to every open connection, on every instance.
   *
   * @throws HoldfastError (rejects) INVALID_VALUE, `field` names the place; LIMIT_EXCEEDED;
   *   UNAVAILABLE if the broker cannot be reached
   */
  broadcast<E extends DirectName<P>>(event: E, data: SentDirectOf<P, E>): Promise<Published>;
  /** Returns a handle to send to a user's connected devices, list them, or disconnect them. */
  user(id: string): UserHandle<P, Session<I, ParametersOf<P>, Data>>;
  /** Returns a handle to the session with this id, on any instance. */
  session(id: string): SessionHandle<P, Session<I, ParametersOf<P>, Data>>;
  /** Returns the sessions that are connected to this instance. */
  sessions(): Session<I, ParametersOf<P>, Data>[];
  /**
   * Calls `listener` whenever a session of this instance is opened, resumed, dropped or ended, in
   * the order of these events. Errors of the listener are logged. Returns a function that removes
   * the listener.
   */
  onSession(listener: (event: SessionEvent<I, ParametersOf<P>, Data>) => unknown): () => void;
  /**
   * Issues a ticket for a user who was authenticated over HTTP. A client that connects with
   * `?ticket=` has this identity. A ticket opens one connection within 30 s. If several instances
   * share a broker, every instance accepts the ticket; the identity must then be JSON.
   *
   * @throws HoldfastError (rejects) INVALID_OPTION without `credentials: { ticket: true }`;
   *   INVALID_VALUE if the identity is invalid; UNAVAILABLE if the server is closed or the broker
   *   cannot be reached
   */
  issueTicket(identity: I & Identity): Promise<string>;
  /**
   * Serves WebSockets on one path of an existing http server. Returns a function that stops
   * accepting new connections on this path.
   *
   * @throws HoldfastError INVALID_OPTION if `http` is not an http server or the path is taken;
   *   UNAVAILABLE if the server is closed
   */
  attach(http: HttpServer, options?: AttachOptions): () => void;
  /**
   * Starts an http server and serves WebSockets on it. Port 0 chooses a free port. If listening
   * fails, the promise rejects with a HoldfastError that has the system's code, such as EADDRINUSE,
   * and a remedy.
   */
  listen(port: number, options?: ListenOptions): Promise<Listening>;
  /** Returns the stats of this instance. Other instances are not included. */
  stats(): ServerStats;
  /**
   * Whether a load balancer should send clients to this instance. False as soon as the server
   * closes, and while the broker cannot be reached or delivers no announcements. The server notices
   * missing announcements within 20 s. While the broker is unavailable, the server still serves
   * existing and new connections, so use this property for a readiness probe and not for a liveness
   * probe.
   */
  readonly isReady: boolean;
  /**
   * Refuses new connections and requests, waits up to `graceMs` for running requests, closes every
   * connection with 1001 and resolves when all sockets are closed. A second call returns the same
   * promise.
   */
  close(options?: CloseOptions): Promise<void>;
  /**
   * @internal For transports other than Node's http server, such as the in-memory transport of the
   *   test kit.
   */
  readonly admission: Admission;
}

export function closed(call: string): HoldfastError {
  const remedy = "Create a new server with `createServer`.";
  return new HoldfastError("UNAVAILABLE", `${call}: the server is closed.`, { remedy });
}
