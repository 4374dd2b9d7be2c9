import {
  type ClientMessage,
  isProtocol,
  type ParametersOf,
  type Protocol,
  type ProtocolDefinition,
  type ServerMessage,
} from "@holdfast/protocol";
import { fingerprint } from "@holdfast/protocol/describe";
import { clientMessage, jsonCodec } from "@holdfast/protocol/wire";
import { mayJoinOf, showersOf } from "./application.js";
import { type Admitted, createAdmission, OVERLOADED_REASON } from "./auth/admission.js";
import { Authenticator } from "./auth/authenticator.js";
import { finishHandshake, Handshake, type HandshakeContext } from "./auth/handshake.js";
import type { Authenticate, Identity } from "./auth/identity.js";
import { Refreshes } from "./auth/refreshes.js";
import { SharedTickets } from "./auth/shared-tickets.js";
import { TICKET_MS, Tickets } from "./auth/tickets.js";
import { ChannelHandle } from "./channel/channel-handle.js";
import type { BrokerLink } from "./broker/broker.js";
import { memoryBroker } from "./broker/memory-broker.js";
import { Channels } from "./channel/channels.js";
import { Topics } from "./channel/topics.js";
import { Dispatcher } from "./dispatch/dispatcher.js";
import { inTime } from "./environment.js";
import { Handlers, type UntypedHandler, type UntypedMiddleware } from "./dispatch/handlers.js";
import { PresenceUpdates } from "./dispatch/presence-updates.js";
import { Requests } from "./dispatch/requests.js";
import { Subscriptions } from "./dispatch/subscriptions.js";
import { Cluster } from "./instances/cluster.js";
import { Stats } from "./observe/stats.js";
import { createUnawaited } from "./observe/unawaited.js";
import type { ServerOptions } from "./options.js";
import { closed, type Server } from "./server.js";
import { invalid, settle } from "./settings.js";
import { Connection, type ConnectionContext } from "./session/connection.js";
import { DirectEvents } from "./session/direct.js";
import { drain } from "./session/drain.js";
import { Heartbeat } from "./session/heartbeat.js";
import { Departures } from "./session/outbox.js";
import type { Session, SessionEvent } from "./session/session.js";
import { SessionHandle } from "./session/session-handle.js";
import { Sessions, type SessionSettings } from "./session/sessions.js";
import { UserHandle } from "./session/user-handle.js";
import { Database } from "./state/database.js";
import { Documents } from "./state/documents.js";
import { stateHooksOf } from "./state/hooks.js";
import { listen, type Listening } from "./transport/listen.js";
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
    if (channel.presence && !options.authenticate)
      invalid("authenticate", `is needed: channels.${name}.presence lists users, and nobody would be one`);
  }
  if (protocol.definition.deviceId === "required" && !options.authenticate)
    invalid("authenticate", "is needed: the protocol requires a device id, and devices are those of users");
  const settings = settle(options);
  const hooks = stateHooksOf(protocol, options.state);
  const show = showersOf(protocol, options, settings.logger);
  const { environment, logger } = settings;
  const unawaited = createUnawaited(environment, options.logger && logger);

  const stats = new Stats();
  const topics = new Topics(environment, () => link);
  const instance = environment.newId();
  const link: BrokerLink = (options.broker ?? memoryBroker()).join({
    id: instance,
    protocol: protocol.name,
    environment,
    logger,
    receive: (topic, publication) => topics.receive(topic, publication),
    onDoubt: () => topics.check(),
    onGone(instances) {
      cluster?.gone(instances);
      channels.presences.gone(instances);
    },
    onForgotten() {
      cluster?.putAgain();
      channels.presences.putAgain();
    },
  });
  // Without a broker of its own a server is the only instance there can be: nobody has to be told anything, or asked.
  const shared = options.broker && { id: instance, link, topics, environment };
  const channels = new Channels({
    shared,
    protocol,
    link,
    topics,
    environment,
    logger,
    stats,
    maxEventBytes: settings.limits.owedBytes,
    loadState: (id) => documents.load(id),
    presence: {
      environment,
      graceMs: settings.presenceGraceMs,
      mostListed: settings.limits.presencePerChannel,
      mostBytes: settings.limits.owedBytes / 4,
    },
  });
  const database = new Database({
    environment,
    hooks,
    timeoutMs: settings.requestTimeoutMs,
    mostBytes: settings.limits.stateBytes,
  });
  const documents: Documents = new Documents({
    link,
    environment,
    stats,
    database,
    mostBytes: settings.limits.stateBytes,
    expect: (channel, offset) => channels.expect(channel, offset),
    size: (id) => channels.size(id),
  });
  // In the upgrade request, until `auth` has come, and while that is judged; a ticket was judged when it was issued.
  const judgementMs = 3 * settings.authTimeoutMs + TICKET_MS;
  const sessions = new Sessions(
    {
      ...settings,
      judgementMs,
      deviceRequired: protocol.definition.deviceId === "required",
      sessionData: options.sessionData as SessionSettings["sessionData"],
    },
    stats,
  );
  const direct = new DirectEvents(channels, environment);
  const handlers = new Handlers(protocol, unawaited);
  const requests = new Requests(handlers, settings, stats);
  const tickets = !settings.credentials.ticket
    ? undefined
    : shared
      ? new SharedTickets({ link, environment, ordersKnown: async () => cluster?.ordersKnown() })
      : new Tickets(environment, () => sessions.moment);
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
  const cluster = shared && new Cluster({ ...settings, ...shared, sessions, direct, judgementMs, reauthorize });
  const handleParts = { sessions, direct, elsewhere: cluster, reauthorize, unawaited };
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
      // oxlint-disable-next-line no-restricted-properties -- a date for display, and for other machines
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
    channel: (name, ...key) =>
      new ChannelHandle(channels, documents, channels.identify(name, key[0] as string | undefined), unawaited),
    broadcast: (event, data) => unawaited("broadcast", { event }, channels.broadcast(event, data)),
    user: (id) => new UserHandle(id, handleParts),
    session: (id) => new SessionHandle(id, handleParts),
    sessions: () => sessions.live() as Session[] as Session<I, ParametersOf<P>, Data>[],
    onSession: (listener) => sessions.on(listener as (event: SessionEvent) => unknown),
    issueTicket(identity) {
      const issue = async (): Promise<string> => {
        if (closing) throw closed("issueTicket");
        return authenticator.issueTicket(identity);
      };
      return unawaited("issueTicket", {}, issue());
    },
    stats: () => stats.snapshot(),
    get isReady() {
      return !closing && link.isHealthy;
    },

    attach(httpServer, { path = "/ws" } = {}) {
      if (closing) throw closed("attach");
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

    listen(port, listenOptions = {}) {
      const start = async (): Promise<Listening> => {
        const listening = await listen(server, port, listenOptions, logger);
        if (closing) {
          await listening.close();
          throw closed("listen");
        }
        http.add(() => listening.close());
        return listening;
      };
      return unawaited("listen", { port }, start());
    },

    close({ graceMs = 5_000 } = {}) {
      closing ??= (async () => {
        requests.stopAccepting();
        await drain(connections, environment, graceMs);
        // Before documents: whoever is told that a session has ended may take its user out of one.
        sessions.clear();
        // Once more behind listeners: of what they change.
        const idle = Promise.all([sessions.idle(), documents.idle(graceMs)]).then(() => documents.idle(graceMs));
        await inTime(idle, environment, graceMs, "Listeners or hooks take too long").catch((error: unknown) =>
          logger.error({ err: error }, "the server was closed before all was done and saved"),
        );
        if (documents.close()) logger.error({}, "the last changes of documents may not have been saved");
        database.close();
        await Promise.all([cluster?.close(), channels.presences.leave()]);
        channels.close();
        topics.close();
        await link.close();
        tickets?.clear();
        await Promise.all([...http].map((stop) => stop()));
        http.clear();
      })();
      return unawaited("close", {}, closing);
    },
  };
  return server;
}
