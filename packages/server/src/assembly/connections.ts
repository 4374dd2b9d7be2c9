import type { ClientMessage, Protocol, ServerMessage } from "@holdfast/protocol";
import { fingerprint } from "@holdfast/protocol/describe";
import { clientMessage, jsonCodec } from "@holdfast/protocol/wire";
import { type Admitted, createAdmission, OVERLOADED_REASON } from "../auth/admission.js";
import type { Authenticator } from "../auth/authenticator.js";
import { finishHandshake, Handshake, type HandshakeContext } from "../auth/handshake.js";
import type { Channels } from "../channel/channels.js";
import { Dispatcher, type DispatcherContext } from "../dispatch/dispatcher.js";
import type { Stats } from "../observe/stats.js";
import { Connection, type ConnectionContext } from "../session/connection.js";
import { drain } from "../session/drain.js";
import { Heartbeat } from "../session/heartbeat.js";
import { Departures } from "../session/outbox.js";
import type { Sessions } from "../session/sessions.js";
import type { ServerSettings } from "../settings.js";
import type { Admission, ServerSocket } from "../transport/socket.js";

export interface ConnectionsParts extends Pick<
  DispatcherContext,
  "requests" | "subscriptions" | "presenceUpdates" | "refreshes"
> {
  readonly protocol: Protocol;
  readonly settings: ServerSettings;
  readonly stats: Stats;
  readonly authenticator: Authenticator;
  readonly sessions: Sessions;
  readonly channels: Channels;
}

/**
 * Creates the connections of this instance and keeps track of each connection from the upgrade
 * until its socket has closed.
 */
export class Connections {
  readonly admission: Admission;
  readonly #parts: ConnectionsParts;
  readonly #open = new Set<Connection>();
  readonly #connectionContext: ConnectionContext;
  readonly #handshakeContext: HandshakeContext;
  #isClosing = false;

  constructor(parts: ConnectionsParts) {
    this.#parts = parts;
    const { protocol, settings, stats, authenticator, sessions, channels } = parts;
    const { environment, logger } = settings;
    const codec = jsonCodec<ClientMessage, ServerMessage>(clientMessage);
    this.#connectionContext = {
      heartbeat: new Heartbeat(environment, settings.heartbeat),
      departures: new Departures(environment, settings.limits.owedBytes),
      stats,
      logger,
      channels,
      dispatcher: new Dispatcher({ ...parts, codec, logger }),
      onLeft(connection) {
        channels.depart(connection);
        sessions.left(connection);
      },
      onGone: (connection) => void this.#open.delete(connection),
    };
    this.#handshakeContext = {
      protocol,
      fingerprint: fingerprint(protocol),
      settings,
      authenticator,
      sessions,
      codec,
      onOpen: (connection) => channels.arrive(connection),
    };
    this.admission = createAdmission({
      protocol,
      settings,
      authenticator,
      stats,
      isClosing: () => this.#isClosing,
      moment: () => sessions.moment,
      open: (admitted, socket) => this.#accept(admitted, socket),
    });
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Refuses further connections. */
  stopAccepting(): void {
    this.#isClosing = true;
  }

  /**
   * Waits for running requests, then closes every connection. Resolves when all sockets are closed.
   */
  drain(graceMs: number): Promise<void> {
    return drain(this.#open, this.#parts.settings.environment, graceMs);
  }

  #accept({ request, parameters, found, known }: Admitted, socket: ServerSocket): Connection {
    const { settings, stats } = this.#parts;
    const { environment } = settings;
    const deadline = environment.after(settings.authTimeoutMs, () =>
      connection.close("UNAUTHENTICATED", "authentication timeout"),
    );
    const connection = new Connection(
      environment.newId(),
      request,
      parameters,
      // oxlint-disable-next-line no-restricted-properties -- a date for display, and for other machines
      environment.now(),
      socket,
      this.#connectionContext,
      { receiver: new Handshake(this.#handshakeContext, found), deadline },
    );
    this.#open.add(connection);
    // Checked again here. While the credential was checked, other connections may have opened or
    // the server may have begun to close.
    if (this.#isClosing) connection.close("GOING_AWAY", "the server is shutting down");
    else if (stats.connectionsActive > settings.limits.connections) connection.close("OVERLOADED", OVERLOADED_REASON);
    else if (known) finishHandshake(connection, known.identity, known.judgedSince, this.#handshakeContext);
    return connection;
  }
}
