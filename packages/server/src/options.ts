import type {
  ChannelName,
  KeyOf,
  ParametersOf,
  PresenceChannelName,
  PresenceOf,
  ProtocolDefinition,
  SentPresenceOf,
} from "@holdfast/protocol";
import type { Authenticate, Identity } from "./session/identity.js";
import type { Broker } from "./broker/broker.js";
import type { ServerEnvironment } from "./environment.js";
import type { Logger } from "./observe/logger.js";
import type { DocumentOptions } from "./document/document-hooks.js";
import type { Session } from "./session/session.js";

/**
 * The argument of `authorize` for one channel, which asks whether the session may join the channel.
 * `C` is the channel's name, `Key` the type of its key.
 */
export interface JoinQuestion<
  C extends string = string,
  Key = string | undefined,
  I = unknown,
  Parameters = unknown,
  Data = unknown,
> {
  readonly identity: I;
  readonly session: Session<I, Parameters, Data>;
  /** The channel's name, without its key. */
  readonly channel: C;
  /** The channel's key, validated. Undefined if the channel declares no key. */
  readonly key: Key;
  readonly action: "subscribe";
}

/**
 * The argument of `authorize`: a union with one `JoinQuestion` for each channel of the protocol.
 * After `if (question.channel === "room")`, `question.key` has the type of that channel's key. If
 * the protocol declares no channels, or the compiler does not know the protocol, `channel` has the
 * type `string`.
 */
export type AuthorizeQuestion<P extends ProtocolDefinition, I = unknown, Data = unknown> = [ChannelName<P>] extends [
  never,
]
  ? JoinQuestion<string, string | undefined, I, ParametersOf<P>, Data>
  : { [C in ChannelName<P>]: JoinQuestion<C, KeyOf<P, C>, I, ParametersOf<P>, Data> }[ChannelName<P>];

/**
 * The argument of the `presence` function of channel `C` about one user. The function returns the
 * data that other users see.
 */
export interface PresenceQuestion<
  P extends ProtocolDefinition,
  C extends PresenceChannelName<P>,
  I = unknown,
  Data = unknown,
> {
  readonly identity: I;
  readonly session: Session<I, ParametersOf<P>, Data>;
  /** The channel's key, validated. Undefined if the channel declares no key. */
  readonly key: KeyOf<P, C>;
  /**
   * The latest presence data that a client of the user sent, validated by the schema. Clients can
   * send any valid data, so do not trust it. Undefined if no client has sent data, or if the data
   * was withdrawn.
   */
  readonly data: PresenceOf<P, C> | undefined;
}

export interface CredentialOptions {
  /**
   * The name of the cookie that holds the credential. Browsers send cookies with connections that
   * any page opens, so the server accepts a page's cookie only if the page has the server's own
   * origin or one of the listed `origins`.
   * @default none: cookies do not authenticate
   */
  readonly cookie?: string | undefined;
  /**
   * Accepts a token as `?token=` in the URL. URLs end up in the logs of proxies, so use this only
   * for scripts and command-line tools.
   * @default false
   */
  readonly queryToken?: boolean | undefined;
  /**
   * Accepts a ticket as `?ticket=` in the URL. `server.issueTicket` issues tickets; each opens one
   * connection within 30 s. Use tickets for clients that cannot set a header, and for gateways that
   * require a credential before the upgrade. `authenticate` is not called again for a ticket.
   * @default false
   */
  readonly ticket?: boolean | undefined;
  /**
   * Accepts a token in the `auth` message. If false, a connection whose upgrade request has no
   * credential is refused with HTTP 401 before the upgrade.
   * @default true
   */
  readonly message?: boolean | undefined;
}

export interface DeviceOptions {
  /**
   * The most devices that one user may have connected at a time, up to 10,000.
   * @default 50
   */
  readonly perUser?: number;
  /**
   * The reaction to a new device of a user with `perUser` connected devices. `"refuse"` closes the
   * new connection with 4429, and its client retries later. `"replace_oldest"` accepts the new
   * device and disconnects the device that has been silent for longest with 4409.
   * @default "refuse"
   */
  readonly whenFull?: "refuse" | "replace_oldest";
}

export interface HeartbeatOptions {
  /**
   * The longest time between two pings of a connection, in milliseconds.
   * @default 30_000
   */
  readonly intervalMs?: number;
  /**
   * If a client sends nothing for this long after a ping, the server closes the connection with
   * 4408. Milliseconds.
   * @default 10_000
   */
  readonly timeoutMs?: number;
}

export interface Limits {
  /**
   * The most open connections of this instance. Further connections are closed with 1013.
   * @default 10_000
   */
  readonly connections: number;
  /**
   * The largest message that a client may send, in bytes, at least 1,024. A larger message closes
   * the connection with 1009.
   * @default 65_536
   */
  readonly messageBytes: number;
  /**
   * The most channels that one connection may join, up to 10,000.
   * @default 128
   */
  readonly subscriptions: number;
  /**
   * The most members that one channel may have on this instance.
   * @default 10_000
   */
  readonly subscribersPerChannel: number;
  /**
   * The most requests that one connection may have in flight.
   * @default 64
   */
  readonly requestsInFlight: number;
  /**
   * The most bytes that may wait to be sent to one connection. If a client reads too slowly and the
   * queue grows beyond this limit, the server closes the connection with 4413.
   * @default 1_048_576
   */
  readonly owedBytes: number;
  /**
   * The largest document of a channel, in bytes of JSON. At most a quarter of `owedBytes`, because
   * a client that joins several channels receives their documents at once.
   * @default 262_144, or a quarter of `owedBytes` if that is less
   */
  readonly documentBytes: number;
  /**
   * The most users that presence lists on one channel, up to 10,000. Further users are only
   * counted.
   * @default 1_000
   */
  readonly presencePerChannel: number;
}

/** The options of a server that do not depend on its protocol. */
export interface BaseServerOptions {
  /**
   * Where clients may send the credential, besides the `auth` message and the Authorization header.
   * Requires `authenticate`.
   */
  readonly credentials?: CredentialOptions;
  /**
   * Origins whose pages may connect, such as "https://app.example.com". Pages of the server's own
   * origin may always connect. With an empty list, only pages of the server's own origin may
   * connect.
   * @default pages of every origin may connect, but a cookie authenticates only pages of the
   *   server's own origin
   */
  readonly origins?: readonly string[];
  /**
   * Host names and addresses of the server, with or without a port, such as "app.example.com". The
   * server refuses a request with another Host header with HTTP 421. Set this option to prevent DNS
   * rebinding if pages reach the server by name over plain HTTP.
   * @default every Host is served. Then a page counts as the server's own origin only if DNS
   *   rebinding cannot forge its Host: `localhost`, an IP address, `https`, or behind a proxy that
   *   sends `X-Forwarded-For` or a similar header
   */
  readonly hosts?: readonly string[];
  /** How the server finds dead peers. */
  readonly heartbeat?: HeartbeatOptions;
  /** Limits of connections, messages and channels. */
  readonly limits?: Partial<Limits>;
  /**
   * How long a new connection may take to authenticate, in milliseconds. Afterwards the connection
   * is refused.
   * @default 5_000
   */
  readonly authTimeoutMs?: number;
  /** How many devices a user may have connected at a time. */
  readonly devices?: DeviceOptions;
  /**
   * How long a session survives after its connection is lost, in milliseconds. A client that
   * reconnects within this time resumes its session. 0 ends the session at once.
   * @default 120_000
   */
  readonly sessionResumeMs?: number;
  /**
   * How long a user stays present on a channel after the user's last device has left, in
   * milliseconds, so that a short interruption is not shown to others. 0 ends the presence at once.
   * @default 5_000
   */
  readonly presenceGraceMs?: number;
  /**
   * How long a handler may run, in milliseconds. A client can set a shorter time for a request.
   * Also limits `authorize` and the hooks of documents.
   * @default 30_000
   */
  readonly requestTimeoutMs?: number;
  /**
   * Carries events between instances and stores the history from which clients resume. With
   * `redisBroker` of `@holdfast/server/redis`, several processes act as one server.
   * @default memoryBroker(): one process, nothing to install
   */
  readonly broker?: Broker;
  /**
   * Receives the log entries of the server, each with fields and a message. Pass a pino logger, or
   * any object with the methods `debug`, `info`, `warn` and `error`.
   * @default nothing is logged
   */
  readonly logger?: Logger;
  /**
   * The source of time and randomness, for tests.
   * @default the real clock and random numbers
   */
  readonly environment?: ServerEnvironment;
}

export interface ServerOptions<
  P extends ProtocolDefinition,
  I extends Identity | undefined,
  Data = undefined,
> extends BaseServerOptions {
  /**
   * Returns the identity that a credential belongs to. Throw to refuse the credential.
   * @default every client may connect, without an identity
   */
  readonly authenticate?: Authenticate<I, ParametersOf<P>>;
  /**
   * Creates the application's data of a session, `session.data`. Called once for each session.
   * Write this option before `authorize` and `presence`: TypeScript reads options in order and
   * infers the type of the data from here.
   * @default undefined
   */
  readonly sessionData?: (start: { readonly identity: I; readonly parameters: ParametersOf<P> }) => Data;
  /**
   * Returns whether a session may join a channel. If the function throws, rejects or takes longer
   * than `requestTimeoutMs`, the session may not join.
   * @default every session may join every channel
   */
  readonly authorize?: (question: AuthorizeQuestion<P, I, Data>) => boolean | Promise<boolean>;
  /**
   * Connects the documents of channels to your own database, by channel: `load` and `save`.
   * @default documents exist only in the broker
   */
  readonly documents?: DocumentOptions<P>;
  /**
   * Returns the data that others see of a user who is present on a channel, by channel. Must not be
   * asynchronous. If the function returns undefined, the user is hidden.
   * @default the data that the user's client sends
   */
  readonly presence?: {
    readonly [C in PresenceChannelName<P>]?: (
      question: PresenceQuestion<P, C, I, Data>,
    ) => SentPresenceOf<P, C> | undefined;
  };
}
