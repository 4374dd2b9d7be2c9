import {
  type ChannelName,
  type ClientMessage,
  type DirectName,
  HoldfastError,
  isProtocol,
  type KeyArguments,
  type Protocol,
  type ProtocolDefinition,
  type RequestName,
  type SentDirectOf,
  type ServerMessage,
  type ParametersOf,
} from "@holdfast/protocol";
import { fingerprint } from "@holdfast/protocol/describe";
import { clientMessage, jsonCodec } from "@holdfast/protocol/wire";
import { type Admitted, createAdmission, OVERLOADED_REASON } from "./auth/admission.js";
import { Authenticator } from "./auth/authenticator.js";
import { finishHandshake, Handshake, type HandshakeContext } from "./auth/handshake.js";
import type { Authenticate, Identity } from "./auth/identity.js";
import { ChannelHandle } from "./channel/channel-handle.js";
import { Channels, type Published } from "./channel/channels.js";
import { Dispatcher } from "./dispatch/dispatcher.js";
import {
  type Handler,
  Handlers,
  type Middleware,
  type UntypedHandler,
  type UntypedMiddleware,
} from "./dispatch/handlers.js";
import { Requests } from "./dispatch/requests.js";
import { type MayJoin, Subscriptions } from "./dispatch/subscriptions.js";
import { type ServerStats, Stats } from "./observe/stats.js";
import { invalid, type ServerOptions, settle } from "./options.js";
import { Connection, type ConnectionContext } from "./session/connection.js";
import { drain } from "./session/drain.js";
import { Heartbeat } from "./session/heartbeat.js";
import { Departures } from "./session/outbox.js";
import type { Session } from "./session/session.js";
import { type HttpServer, listen, type Listening, type ListenOptions } from "./transport/listen.js";
import { attachToNode } from "./transport/node.js";
import type { Admission, ServerSocket } from "./transport/socket.js";

export interface AttachOptions {
  /** The path whose upgrades are taken; other paths are left to others. @default "/ws" */
  readonly path?: string;
}

export interface CloseOptions {
  /** How long requests that are running may take to finish. @default 5_000 */
  readonly graceMs?: number;
}

/** A server of one protocol. `I` is what `authenticate` returns. */
export interface Server<P extends ProtocolDefinition, I = unknown> {
  /** Says what a request does. @throws HoldfastError INVALID_OPTION when it has a handler already */
  handle<N extends RequestName<P>>(name: N, handler: Handler<P, N, I>): void;
  /** Adds a middleware around all handlers; the first one added is outermost. */
  use(middleware: Middleware<I, ParametersOf<P>>): void;
  /** A channel, to publish on. @throws HoldfastError UNKNOWN_CHANNEL when the key is invalid */
  channel<C extends ChannelName<P>>(name: C, ...key: KeyArguments<P, C>): ChannelHandle<P, C>;
  /** Sends a direct event to every open connection. @throws HoldfastError INVALID_VALUE (rejects), naming the field */
  broadcast<E extends DirectName<P>>(event: E, data: SentDirectOf<P, E>): Promise<Published>;
  /** Every open connection, as a session. */
  sessions(): Session<I, ParametersOf<P>>[];
  /** Serves WebSockets on one path of an http server. Returns a function that stops it, for new connections. */
  attach(http: HttpServer, options?: AttachOptions): () => void;
  /** Serves on an http server of its own. Port 0 takes any free one. */
  listen(port: number, options?: ListenOptions): Promise<Listening>;
  stats(): ServerStats;
  /**
   * Refuses new connections and requests, lets running requests finish, then closes every connection with 1001 and resolves
   * when all sockets are gone. A second call waits for the first.
   */
  close(options?: CloseOptions): Promise<void>;
  /** For transports other than Node's http server, such as the in-memory one of the test kit. */
  readonly admission: Admission;
}

/**
 * Creates a server. It serves nothing until `attach` or `listen`.
 *
 * @throws HoldfastError INVALID_OPTION, naming the option
 */
export function createServer<const P extends ProtocolDefinition, I extends Identity | undefined = undefined>(
  protocol: Protocol<P>,
  options: ServerOptions<P, I> = {},
): Server<P, I> {
  if (!isProtocol(protocol)) invalid("protocol", "expected what defineProtocol returns");
  for (const [name, channel] of protocol.channels) {
    // Accepted and not served would be a lie that only shows in production.
    if (channel.state) invalid("protocol", `channels.${name}.state is not served by this version`);
    if (channel.presence) invalid("protocol", `channels.${name}.presence is not served by this version`);
  }
  const settings = settle(options);
  const { environment, logger } = settings;

  const stats = new Stats();
  const channels = new Channels(protocol, stats, settings.limits.owedBytes);
  const handlers = new Handlers(protocol);
  const requests = new Requests(handlers, settings, stats);
  const authenticator = new Authenticator(
    options.authenticate as Authenticate<Identity | undefined> | undefined,
    settings,
  );
  const subscriptions = new Subscriptions(protocol, channels, mayJoinOf(options), settings, stats);
  const codec = jsonCodec<ClientMessage, ServerMessage>(clientMessage);
  const connections = new Set<Connection>();
  const http = new Set<() => Promise<void> | void>();
  let closing: Promise<void> | undefined;

  const connectionContext: ConnectionContext = {
    heartbeat: new Heartbeat(environment, settings.heartbeat),
    departures: new Departures(environment, settings.limits.owedBytes),
    stats,
    logger,
    dispatcher: new Dispatcher({ codec, requests, subscriptions, authenticator, stats, logger }),
    onLeft(connection) {
      connection.membership?.end();
      channels.depart(connection);
    },
    onGone: (connection) => void connections.delete(connection),
  };

  const handshakeContext: HandshakeContext = {
    protocol,
    fingerprint: fingerprint(protocol),
    settings,
    authenticator,
    codec,
    onOpen: (connection) => channels.arrive(connection),
  };

  const open = ({ request, parameters, identity, authenticated }: Admitted, socket: ServerSocket): Connection => {
    const deadline = environment.after(settings.authTimeoutMs, () =>
      connection.close("UNAUTHENTICATED", "authentication timeout"),
    );
    const handshake = { receiver: new Handshake(handshakeContext), deadline };
    const connection = new Connection(
      environment.newId(),
      request,
      parameters,
      environment.now(),
      socket,
      connectionContext,
      handshake,
    );
    connections.add(connection);
    // Asked again: while a credential is checked others come in, and the server may begin to close.
    if (closing) connection.close("GOING_AWAY", "the server is shutting down");
    else if (stats.connectionsActive > settings.limits.connections) connection.close("OVERLOADED", OVERLOADED_REASON);
    else if (authenticated) finishHandshake(connection, identity, handshakeContext);
    return connection;
  };

  const admission = createAdmission({
    protocol,
    settings,
    authenticator,
    stats,
    isClosing: () => closing !== undefined,
    open,
  });

  const server: Server<P, I> = {
    admission,
    handle: (name, handler) => handlers.add(name, handler as unknown as UntypedHandler),
    use: (middleware) => handlers.use(middleware as unknown as UntypedMiddleware),
    channel: (name, ...key) => new ChannelHandle(channels, channels.identify(name, key[0] as string | undefined)),
    broadcast: async (event, data) => channels.broadcast(event, data),
    sessions: () =>
      [...connections]
        .filter((connection) => connection.isOpen)
        .map((connection) => connection.session as unknown as Session<I, ParametersOf<P>>),
    stats: () => stats.snapshot(),

    attach(httpServer, { path = "/ws" } = {}) {
      if (!/^\/[^\s?#]*$/.test(path)) {
        throw new HoldfastError("INVALID_OPTION", `attach: path: expected a path such as "/ws".`, { field: "path" });
      }
      if (closing) throw new HoldfastError("UNAVAILABLE", "attach: the server is closed.");
      const missing = handlers.missing();
      if (missing.length > 0)
        logger.warn({ requests: missing }, "requests without a handler will be answered UNKNOWN_REQUEST");
      const detach = attachToNode(httpServer, admission, {
        path,
        maxMessageBytes: settings.limits.messageBytes,
        upgradeTimeoutMs: settings.authTimeoutMs,
        logger,
      });
      http.add(detach);
      return () => {
        http.delete(detach);
        detach();
      };
    },

    async listen(port, listenOptions = {}) {
      const listening = await listen(server, port, listenOptions);
      if (closing) {
        await listening.close();
        throw new HoldfastError("UNAVAILABLE", "listen: the server was closed meanwhile.");
      }
      http.add(() => listening.close());
      return listening;
    },

    close({ graceMs = 5_000 } = {}) {
      return (closing ??= (async () => {
        requests.stopAccepting();
        await drain(connections, environment, graceMs);
        await Promise.all([...http].map((stop) => stop()));
        http.clear();
      })());
    },
  };
  return server;
}

function mayJoinOf<P extends ProtocolDefinition, I extends Identity | undefined>(
  options: ServerOptions<P, I>,
): MayJoin | undefined {
  const { authorize } = options;
  return (
    authorize &&
    ((connection, id) =>
      authorize({
        identity: connection.identity as I,
        session: connection.session as unknown as Session<I, ParametersOf<P>>,
        channel: id.contract.name,
        key: id.key,
        action: "subscribe",
      }))
  );
}
