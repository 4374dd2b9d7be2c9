import {
  type ClientMessage,
  HoldfastError,
  isProtocol,
  type ParametersOf,
  type Protocol,
  type ProtocolDefinition,
  type ServerMessage,
} from "@holdfast/protocol";
import { fingerprint } from "@holdfast/protocol/describe";
import { clientMessage, jsonCodec } from "@holdfast/protocol/wire";
import { type Admitted, createAdmission, OVERLOADED_REASON } from "./auth/admission.js";
import { Authenticator } from "./auth/authenticator.js";
import { finishHandshake, Handshake, type HandshakeContext } from "./auth/handshake.js";
import type { Authenticate, Identity } from "./auth/identity.js";
import { Refreshes } from "./auth/refreshes.js";
import { TICKET_MS, Tickets } from "./auth/tickets.js";
import { ChannelHandle } from "./channel/channel-handle.js";
import type { BrokerLink } from "./broker/broker.js";
import { memoryBroker } from "./broker/memory-broker.js";
import { Channels } from "./channel/channels.js";
import { Topics } from "./channel/topics.js";
import { Dispatcher } from "./dispatch/dispatcher.js";
import { isThenable } from "./environment.js";
import { Handlers, type UntypedHandler, type UntypedMiddleware } from "./dispatch/handlers.js";
import { PresenceUpdates, type ShowMember } from "./dispatch/presence-updates.js";
import { Requests } from "./dispatch/requests.js";
import { type MayJoin, Subscriptions } from "./dispatch/subscriptions.js";
import type { Logger } from "./observe/logger.js";
import { Stats } from "./observe/stats.js";
import { invalid, type PresenceQuestion, type ServerOptions, settle } from "./options.js";
import type { Server } from "./server.js";
import { Connection, type ConnectionContext } from "./session/connection.js";
import { DirectEvents } from "./session/direct.js";
import { drain } from "./session/drain.js";
import { Heartbeat } from "./session/heartbeat.js";
import { Departures } from "./session/outbox.js";
import type { Session, SessionEvent } from "./session/session.js";
import { SessionHandle } from "./session/session-handle.js";
import { Sessions, type SessionSettings } from "./session/sessions.js";
import { UserHandle } from "./session/user-handle.js";
import { listen } from "./transport/listen.js";
import { attachToNode } from "./transport/node.js";
import type { ServerSocket } from "./transport/socket.js";

/**
 * Creates a server. It serves nothing until `attach` or `listen`.
 *
 * @throws HoldfastError INVALID_OPTION, naming the option
 */
export function createServer<
  const P extends ProtocolDefinition,
  I extends Identity | undefined = undefined,
  Data = undefined,
>(protocol: Protocol<P>, options: ServerOptions<P, I, Data> = {}): Server<P, I, Data> {
  if (!isProtocol(protocol)) invalid("protocol", "expected what defineProtocol returns");
  for (const [name, channel] of protocol.channels) {
    // Accepted and not served would be a lie that only shows in production.
    if (channel.state) invalid("protocol", `channels.${name}.state is not served by this version`);
    if (channel.presence && !options.authenticate)
      invalid("authenticate", `is needed: channels.${name}.presence lists users, and nobody would be one`);
  }
  if (protocol.definition.deviceId === "required" && !options.authenticate)
    invalid("authenticate", "is needed: the protocol requires a device id, and devices are those of users");
  const settings = settle(options);
  const show = showersOf(protocol, options, settings.logger);
  const { environment, logger } = settings;

  const stats = new Stats();
  const topics = new Topics(environment, () => link);
  const link: BrokerLink = (options.broker ?? memoryBroker()).join({
    id: environment.newId(),
    protocol: protocol.name,
    environment,
    logger,
    receive: (topic, publication) => topics.receive(topic, publication),
    onDoubt: () => topics.check(),
    onGone() {},
    onForgotten() {},
  });
  const channels = new Channels({
    protocol,
    link,
    topics,
    environment,
    logger,
    stats,
    maxEventBytes: settings.limits.owedBytes,
    presence: {
      environment,
      graceMs: settings.presenceGraceMs,
      mostListed: settings.limits.presencePerChannel,
      mostBytes: settings.limits.owedBytes / 4,
    },
  });
  const sessions = new Sessions(
    {
      ...settings,
      // In the upgrade request, until `auth` has come, and while that is judged; a ticket was judged when it was issued.
      judgementMs: 3 * settings.authTimeoutMs + TICKET_MS,
      deviceRequired: protocol.definition.deviceId === "required",
      sessionData: options.sessionData as SessionSettings["sessionData"],
    },
    stats,
  );
  const direct = new DirectEvents(channels, environment);
  const handlers = new Handlers(protocol);
  const requests = new Requests(handlers, settings, stats);
  const tickets = settings.credentials.ticket ? new Tickets(environment, () => sessions.moment) : undefined;
  const authenticator = new Authenticator(
    options.authenticate as Authenticate<Identity | undefined> | undefined,
    settings,
    tickets,
  );
  const presenceUpdates = new PresenceUpdates({ protocol, presences: channels.presences, show, stats, settings });
  const mayJoin = mayJoinOf(options);
  const subscriptions = new Subscriptions({ protocol, channels, mayJoin, presenceUpdates, settings, stats });
  const reauthorize = (connection: Connection): Promise<void> => subscriptions.reauthorize(connection);
  const refreshes = new Refreshes({ authenticator, logger, reauthorize });
  const userParts = { sessions, direct, reauthorize };
  const codec = jsonCodec<ClientMessage, ServerMessage>(clientMessage);
  const connections = new Set<Connection>();
  const http = new Set<() => Promise<void> | void>();
  let closing: Promise<void> | undefined;

  const connectionContext: ConnectionContext = {
    heartbeat: new Heartbeat(environment, settings.heartbeat),
    departures: new Departures(environment, settings.limits.owedBytes),
    stats,
    logger,
    dispatcher: new Dispatcher({ codec, requests, subscriptions, presenceUpdates, refreshes, stats, logger }),
    onLeft(connection) {
      connection.membership?.end();
      channels.depart(connection);
      sessions.left(connection);
    },
    onGone: (connection) => void connections.delete(connection),
  };

  const handshakeContext: HandshakeContext = {
    protocol,
    fingerprint: fingerprint(protocol),
    settings,
    authenticator,
    sessions,
    codec,
    onOpen: (connection) => channels.arrive(connection),
  };

  const open = (admitted: Admitted, socket: ServerSocket): Connection => {
    const { request, parameters, found, known } = admitted;
    const deadline = environment.after(settings.authTimeoutMs, () =>
      connection.close("UNAUTHENTICATED", "authentication timeout"),
    );
    const handshake = { receiver: new Handshake(handshakeContext, found), deadline };
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
    else if (known) finishHandshake(connection, known.identity, known.judgedSince, handshakeContext);
    return connection;
  };

  const admission = createAdmission({
    protocol,
    settings,
    authenticator,
    stats,
    isClosing: () => closing !== undefined,
    moment: () => sessions.moment,
    open,
  });

  const server: Server<P, I, Data> = {
    admission,
    handle: (name, handler) => handlers.add(name, handler as unknown as UntypedHandler),
    use: (middleware) => handlers.use(middleware as unknown as UntypedMiddleware),
    channel: (name, ...key) => new ChannelHandle(channels, channels.identify(name, key[0] as string | undefined)),
    broadcast: (event, data) => channels.broadcast(event, data),
    user: (id) => new UserHandle(id, userParts),
    session: (id) => new SessionHandle(id, sessions, direct),
    sessions: () => sessions.live() as Session[] as Session<I, ParametersOf<P>, Data>[],
    onSession: (listener) => sessions.on(listener as (event: SessionEvent) => unknown),
    async issueTicket(identity) {
      if (closing) throw new HoldfastError("UNAVAILABLE", "issueTicket: the server is closed.");
      return authenticator.issueTicket(identity);
    },
    stats: () => stats.snapshot(),
    get isReady() {
      return !closing && link.isHealthy;
    },

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
        sessions.clear();
        channels.close();
        topics.close();
        await link.close();
        tickets?.clear();
        await Promise.all([...http].map((stop) => stop()));
        http.clear();
      })());
    },
  };
  return server;
}

function mayJoinOf<P extends ProtocolDefinition, I extends Identity | undefined, Data>(
  options: ServerOptions<P, I, Data>,
): MayJoin | undefined {
  const { authorize } = options;
  return (
    authorize &&
    ((connection, id) =>
      authorize({
        identity: connection.identity as I,
        session: connection.session as Session as Session<I, ParametersOf<P>, Data>,
        channel: id.contract.name,
        key: id.key,
        action: "subscribe",
      }))
  );
}

/** What the application shows of users, by channel, without the types of one protocol. */
function showersOf<P extends ProtocolDefinition, I extends Identity | undefined, Data>(
  protocol: Protocol<P>,
  options: ServerOptions<P, I, Data>,
  logger: Logger,
): Map<string, ShowMember> {
  const show = new Map<string, ShowMember>();
  for (const [name, ask] of Object.entries(options.presence ?? {})) {
    if (!protocol.channels.get(name)?.presence) invalid(`presence.${name}`, "is no channel that declares presence");
    if (typeof ask !== "function") invalid(`presence.${name}`, "expected a function");
    const asked = ask as (question: PresenceQuestion<unknown>) => unknown;
    show.set(name, ({ identity, session }, { key }, data) => {
      const shown = asked({ identity, session: session as Session, key, data });
      if (!isThenable(shown)) return shown;
      Promise.resolve(shown).catch((error: unknown) => logger.error({ channel: name, err: error }, "presence failed"));
      throw new Error("presence must not be asynchronous: what it needs belongs into the claims of authenticate.");
    });
  }
  return show;
}
