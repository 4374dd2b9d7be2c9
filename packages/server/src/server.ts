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
  /** The path whose upgrades are taken; other paths are left to others. @default "/ws" */
  readonly path?: string;
}

export interface CloseOptions {
  /**
   * How long requests that are running may take to finish, and then documents that are being
   * changed and saved. Milliseconds.
   * @default 5_000
   */
  readonly graceMs?: number;
}

/** A server of one protocol. `I` is what `authenticate` returns, `Data` what `sessionData` does. */
export interface Server<P extends ProtocolDefinition, I = unknown, Data = unknown> {
  /**
   * Says what a request does. @throws HoldfastError INVALID_OPTION when it has a handler already
   */
  handle<N extends RequestName<P>>(name: N, handler: Handler<P, N, I, Data>): void;
  /** Adds a middleware around all handlers; the first one added is outermost. */
  use(middleware: Middleware<I, ParametersOf<P>, Data>): void;
  /** A channel, to publish on. @throws HoldfastError UNKNOWN_CHANNEL when the key is invalid */
  channel<C extends ChannelName<P>>(name: C, ...key: KeyArguments<P, C>): ChannelHandle<P, C>;
  /**
   * Sends a direct event to every open connection. @throws HoldfastError INVALID_VALUE (rejects),
   * naming the field
   */
  broadcast<E extends DirectName<P>>(event: E, data: SentDirectOf<P, E>): Promise<Published>;
  /** A user and the devices that are connected: send to them, list them, disconnect them. */
  user(id: string): UserHandle<P, Session<I, ParametersOf<P>, Data>>;
  /** A session by its id. */
  session(id: string): SessionHandle<P, Session<I, ParametersOf<P>, Data>>;
  /** Every session that has a connection to this process. */
  sessions(): Session<I, ParametersOf<P>, Data>[];
  /**
   * Calls `listener` when a session opens, is resumed, drops or ends on this process, in order.
   * What it throws, or rejects with, is logged. Returns its unsubscribe.
   */
  onSession(listener: (event: SessionEvent<I, ParametersOf<P>, Data>) => unknown): () => void;
  /**
   * Issues a ticket for `?ticket=`, for someone who has shown over HTTP who it is: opens one
   * connection, once, within 30 s. On whatever instance, where several share a broker; then the
   * identity has to be JSON.
   * @throws HoldfastError (rejects) INVALID_OPTION without `credentials: { ticket: true }`,
   *   INVALID_VALUE for what is no identity, UNAVAILABLE when the server is closed or the broker
   *   cannot be reached
   */
  issueTicket(identity: I & Identity): Promise<string>;
  /**
   * Serves WebSockets on one path of an http server. Returns a function that stops it, for new
   * connections.
   * @throws HoldfastError INVALID_OPTION for what is no http server, or a path that is taken;
   *   UNAVAILABLE when it is closed
   */
  attach(http: HttpServer, options?: AttachOptions): () => void;
  /**
   * Serves on an http server of its own. Port 0 takes any free one. Rejects with a HoldfastError
   * that has the system's code, such as EADDRINUSE, and the cure.
   */
  listen(port: number, options?: ListenOptions): Promise<Listening>;
  /** The figures of this instance. Those of others are theirs. */
  stats(): ServerStats;
  /**
   * Whether it is a good idea to send clients here: false while it closes, and while its broker
   * cannot be reached or announces nothing, which is noticed within 20 s. Connections are served
   * all the same; meant for the readiness probe of a load balancer, not for a liveness probe.
   */
  readonly isReady: boolean;
  /**
   * Refuses new connections and requests, lets running requests finish, then closes every
   * connection with 1001 and resolves when all sockets are gone. A second call waits for the first.
   */
  close(options?: CloseOptions): Promise<void>;
  /**
   * @internal For transports other than Node's http server, such as the in-memory one of the test
   *   kit.
   */
  readonly admission: Admission;
}

export function closed(call: string): HoldfastError {
  const remedy = "Make another server with createServer.";
  return new HoldfastError("UNAVAILABLE", `${call}: the server is closed.`, { remedy });
}
