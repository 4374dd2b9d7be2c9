import { isProtocol, type ParametersOf, type Protocol, type ProtocolDefinition } from "@holdfast/protocol";
import { mayJoinOf, showersOf } from "./application.js";
import { Connections } from "./assembly/connections.js";
import { createChannels } from "./assembly/create-channels.js";
import { Endpoints } from "./assembly/endpoints.js";
import { joinBroker } from "./assembly/join-broker.js";
import { Authenticator } from "./auth/authenticator.js";
import type { Authenticate, Identity } from "./session/identity.js";
import { Refreshes } from "./auth/refreshes.js";
import { SharedTickets } from "./auth/shared-tickets.js";
import { TICKET_MS, Tickets } from "./auth/tickets.js";
import { ServerChannelHandle } from "./channel/channel-handle.js";
import { Handlers, type UntypedHandler, type UntypedMiddleware } from "./dispatch/handlers.js";
import { PresenceUpdates } from "./dispatch/presence-updates.js";
import { Requests } from "./dispatch/requests.js";
import { SubscriptionRequests } from "./dispatch/subscriptions.js";
import { inTime } from "./environment.js";
import { Cluster } from "./instances/cluster.js";
import { Stats } from "./observe/stats.js";
import { createUnawaited } from "./observe/unawaited.js";
import type { ServerOptions } from "./options.js";
import { closed, type CloseOptions, type Server } from "./server.js";
import { DirectEvents } from "./session/direct.js";
import type { Session, SessionEvent } from "./session/session.js";
import { ServerSessionHandle } from "./session/session-handle.js";
import { Sessions, type SessionSettings } from "./session/sessions.js";
import { ServerUserHandle } from "./session/user-handle.js";
import { invalid, settle } from "./settings.js";
import { documentHooksOf } from "./document/document-hooks.js";

/**
 * Creates a server for a protocol. The server accepts connections after you call `attach` or
 * `listen`.
 *
 * @throws HoldfastError INVALID_OPTION; `field` names the option
 */
export function createServer<
  const P extends ProtocolDefinition,
  I extends Identity | undefined = undefined,
  Data = undefined,
>(protocol: Protocol<P>, options: ServerOptions<P, I, Data> = {}): Server<P, I, Data> {
  const settings = settle(options);
  checkProtocol(protocol, options.authenticate !== undefined);
  const hooks = documentHooksOf(protocol, options.documents);
  const show = showersOf(protocol, options, settings.logger);
  const { environment, logger } = settings;
  const unawaited = createUnawaited(environment, options.logger && logger);
  const stats = new Stats();

  const broker = joinBroker(protocol, options.broker, settings);
  const { link, topics, shared } = broker;
  const { channels, documents, database } = createChannels(protocol, hooks, broker, stats, settings);
  // The longest time between the check of a credential and the admission of its connection.
  // `authTimeoutMs` applies three times: to the credential of the upgrade request, to the wait for
  // `auth`, and to the check of that message. A ticket was checked earlier, when it was issued.
  const judgementMs = 3 * settings.authTimeoutMs + TICKET_MS;
  const deviceRequired = protocol.definition.deviceId === "required";
  const sessionData = options.sessionData as SessionSettings["sessionData"];
  const sessions = new Sessions({ ...settings, judgementMs, deviceRequired, sessionData }, stats);
  const direct = new DirectEvents(channels, environment);

  const handlers = new Handlers(protocol, unawaited);
  const requests = new Requests(handlers, settings, stats);
  const presenceUpdates = new PresenceUpdates({ protocol, presences: channels.presences, show, stats, settings });
  const mayJoin = mayJoinOf(options);
  const subscriptions = new SubscriptionRequests({ protocol, channels, mayJoin, presenceUpdates, settings, stats });

  const cluster =
    shared && new Cluster({ ...settings, ...shared, sessions, direct, judgementMs, permissions: subscriptions });
  if (cluster) broker.watch(cluster);
  broker.watch(channels.presences);
  const tickets = !settings.credentials.ticket
    ? undefined
    : cluster
      ? new SharedTickets({ link, environment, orders: cluster })
      : new Tickets(environment, sessions);
  const authenticate = options.authenticate as Authenticate<Identity | undefined> | undefined;
  const authenticator = new Authenticator(authenticate, settings, tickets);
  const refreshes = new Refreshes({ authenticator, logger, permissions: subscriptions });
  const connections = new Connections({
    protocol,
    settings,
    stats,
    authenticator,
    sessions,
    channels,
    requests,
    subscriptions,
    presenceUpdates,
    refreshes,
  });
  const endpoints = new Endpoints(connections, settings);
  const { local, presences } = channels;
  const maxEventBytes = settings.limits.owedBytes;
  const channelHandleParts = { local, presences, documents, link, environment, stats, maxEventBytes, unawaited };
  const handleParts = { sessions, direct, elsewhere: cluster, permissions: subscriptions, unawaited };
  let closing: Promise<void> | undefined;

  const shutDown = async (graceMs: number): Promise<void> => {
    connections.stopAccepting();
    requests.stopAccepting();
    await connections.drain(graceMs);
    // After `drain`, so that a connection whose credential is being checked is closed with 1001.
    // After a refusal, its client would not reconnect.
    authenticator.close();
    // Before the documents: a listener may react to the end of a session by changing a document.
    sessions.clear();
    // Documents are awaited once more after the listeners, which may have changed documents.
    const idle = Promise.all([sessions.idle(), documents.idle(graceMs)]).then(() => documents.idle(graceMs));
    await inTime(idle, environment, graceMs, "Session listeners or document hooks took longer than graceMs.").catch(
      (error: unknown) =>
        logger.error({ err: error }, "the server was closed before listeners finished and documents were saved"),
    );
    if (documents.close()) logger.error({}, "the server was closed with document changes that may not be saved");
    database.close();
    await Promise.all([cluster?.close(), channels.presences.leave()]);
    channels.close();
    topics.close();
    await link.close();
    tickets?.clear();
    await endpoints.close();
  };

  const server: Server<P, I, Data> = {
    admission: connections.admission,
    handle: (name, handler) => handlers.add(name, handler as unknown as UntypedHandler),
    use: (middleware) => handlers.use(middleware as unknown as UntypedMiddleware),
    channel: (name, ...key) =>
      new ServerChannelHandle(channels.identify(name, key[0] as string | undefined), channelHandleParts),
    broadcast: (event, data) => unawaited("broadcast", { event }, channels.broadcast(event, data)),
    user: (id) => new ServerUserHandle(id, handleParts),
    session: (id) => new ServerSessionHandle(id, handleParts),
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
    attach(http, attachOptions) {
      const detach = endpoints.attach(http, attachOptions);
      const missing = handlers.missing();
      if (missing.length > 0)
        logger.warn(
          { requests: missing },
          "the server was attached without handlers for some requests, which are answered with UNKNOWN_REQUEST",
        );
      return detach;
    },
    listen: (port, listenOptions = {}) => unawaited("listen", { port }, endpoints.listen(server, port, listenOptions)),
    // A wrong argument must not keep the server from closing.
    close: (closeOptions: CloseOptions | null = {}) =>
      (closing ??= unawaited("close", {}, shutDown(graceOf(closeOptions)))),
  };
  return server;
}

/**
 * If `graceMs` is not a number, the default applies. Without a number, the wait for running
 * requests would never end, or would end at once.
 */
function graceOf(options: CloseOptions | null): number {
  const { graceMs } = options ?? {};
  return typeof graceMs === "number" && !Number.isNaN(graceMs) ? graceMs : 5_000;
}

function checkProtocol(protocol: Protocol, hasUsers: boolean): void {
  if (!isProtocol(protocol)) invalid("protocol", "expected a protocol that `defineProtocol` returned");
  if (hasUsers) return;
  for (const [name, channel] of protocol.channels)
    if (channel.presence)
      invalid(
        "authenticate",
        `is required: channels.${name}.presence lists users, and without \`authenticate\` every client is anonymous`,
      );
  if (protocol.definition.deviceId === "required")
    invalid("authenticate", "is required: the protocol requires a device id, and only users have devices");
}
