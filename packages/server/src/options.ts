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
 * The question to `authorize` about one channel: may the session join it? `C` is the channel's
 * name, `Key` the type of its key.
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
  /** Validated. Undefined if the channel declares no key. */
  readonly key: Key;
  readonly action: "subscribe";
}

/**
 * The question to `authorize`: a union of one `JoinQuestion` for each channel of the protocol, told
 * apart by `channel`. After `if (question.channel === "room")` the question's `key` has the type of
 * that channel's key. If the protocol declares no channels, or is not known to the compiler,
 * `channel` is any text.
 */
export type AuthorizeQuestion<P extends ProtocolDefinition, I = unknown, Data = unknown> = [ChannelName<P>] extends [
  never,
]
  ? JoinQuestion<string, string | undefined, I, ParametersOf<P>, Data>
  : { [C in ChannelName<P>]: JoinQuestion<C, KeyOf<P, C>, I, ParametersOf<P>, Data> }[ChannelName<P>];

/**
 * The question to `presence` about a user on the channel `C`. The answer is the data that other
 * users see.
 */
export interface PresenceQuestion<
  P extends ProtocolDefinition,
  C extends PresenceChannelName<P>,
  I = unknown,
  Data = unknown,
> {
  readonly identity: I;
  readonly session: Session<I, ParametersOf<P>, Data>;
  /** Validated. Undefined if the channel declares no key. */
  readonly key: KeyOf<P, C>;
  /**
   * The data that a client of the user sent last, validated. It is a claim. Undefined if no client
   * has sent any, or if it was withdrawn.
   */
  readonly data: PresenceOf<P, C> | undefined;
}

export interface CredentialOptions {
  /**
   * The name of the cookie that holds a credential. Browsers send cookies along with connections
   * that any page opens, so a cookie is accepted only from pages of the same origin and from those
   * listed in `origins`.
   * @default none: cookies do not authenticate
   */
  readonly cookie?: string | undefined;
  /**
   * Accept `?token=` in the URL. URLs end up in the logs of proxies: meant for scripts and
   * command-line tools.
   * @default false
   */
  readonly queryToken?: boolean | undefined;
  /**
   * Accept `?ticket=` with what `server.issueTicket` has issued: valid once, within 30 s. For
   * clients that can set no header, and for gateways that want to see a credential before the
   * upgrade. `authenticate` is not asked again.
   * @default false
   */
  readonly ticket?: boolean | undefined;
  /**
   * Accept a token in the `auth` message. False: a connection whose upgrade request carries no
   * credential is refused with HTTP 401, before the upgrade.
   * @default true
   */
  readonly message?: boolean | undefined;
}

export interface DeviceOptions {
  /** Devices one user may have connected, at most 10,000. @default 50 */
  readonly perUser?: number;
  /**
   * What happens to one more: it is refused (close code 4429, and it tries again later), or it
   * takes the place of the device heard from longest ago (which is told 4409).
   * @default "refuse"
   */
  readonly whenFull?: "refuse" | "replace_oldest";
}

export interface HeartbeatOptions {
  /** Every connection is pinged at the latest this often. @default 30_000 */
  readonly intervalMs?: number;
  /** Who sends nothing for this long after a ping is gone (close code 4408). @default 10_000 */
  readonly timeoutMs?: number;
}

export interface Limits {
  /** Connections open at once; more are closed with 1013. @default 10_000 */
  readonly connections: number;
  /**
   * The largest message a client may send, in bytes, at least 1,024; a larger one is close code
   * 1009. @default 65_536
   */
  readonly messageBytes: number;
  /** Channels one connection may have joined, at most 10,000. @default 128 */
  readonly subscriptions: number;
  /** Members one channel may have. @default 10_000 */
  readonly subscribersPerChannel: number;
  /** Requests one connection may have running. @default 64 */
  readonly requestsInFlight: number;
  /**
   * Bytes a connection may be owed before it counts as too slow (close code 4413). @default
   * 1_048_576
   */
  readonly owedBytes: number;
  /**
   * The largest document of a channel, in bytes of JSON; a quarter of `owedBytes` at most, since a
   * client that joins several channels is owed them at once. @default 262_144, or that quarter
   */
  readonly documentBytes: number;
  /**
   * Users who are listed as present on one channel, at most 10,000; more are only counted. @default
   * 1_000
   */
  readonly presencePerChannel: number;
}

/** The options of a server that do not depend on its protocol. */
export interface BaseServerOptions {
  /** Where a credential may come from besides the `auth` message and the Authorization header. */
  readonly credentials?: CredentialOptions;
  /**
   * Pages of other origins that may connect, such as "https://app.example.com"; those of the
   * server's own origin always may. An empty list: only those.
   * @default any page may connect, but none of another origin with a credential cookie
   */
  readonly origins?: readonly string[];
  /**
   * Names and addresses that the server answers to, with or without a port, such as
   * "app.example.com": a request with another Host is refused with HTTP 421. Give it if pages reach
   * the server by a name over plain HTTP.
   * @default any Host; but a page is of the server's own origin only if its Host cannot be forged
   *   by DNS rebinding: `localhost`, an address, `https`, or a proxy that sends `X-Forwarded-For`
   *   or the like
   */
  readonly hosts?: readonly string[];
  readonly heartbeat?: HeartbeatOptions;
  readonly limits?: Partial<Limits>;
  /** How long a new connection may take to authenticate. @default 5_000 */
  readonly authTimeoutMs?: number;
  readonly devices?: DeviceOptions;
  /**
   * How long a session waits for its client after its connection was lost; 0: not at all.
   * Milliseconds. @default 120_000
   */
  readonly sessionResumeMs?: number;
  /**
   * How long a user stays present on a channel after the last device has left it; 0: not at all.
   * Milliseconds. @default 5_000
   */
  readonly presenceGraceMs?: number;
  /**
   * How long a handler may run; a client may ask for less. Also the limit of `authorize`. @default
   * 30_000
   */
  readonly requestTimeoutMs?: number;
  /**
   * What carries events between instances and keeps what clients may have missed. `redisBroker` of
   * `@holdfast/server/redis` makes several processes one server.
   * @default memoryBroker(): one process, nothing to install
   */
  readonly broker?: Broker;
  /** @default silent */
  readonly logger?: Logger;
  /** Time and chance, for tests. @default the real ones */
  readonly environment?: ServerEnvironment;
}

export interface ServerOptions<
  P extends ProtocolDefinition,
  I extends Identity | undefined,
  Data = undefined,
> extends BaseServerOptions {
  /**
   * Decides who a credential belongs to; throws to refuse it. @default everyone may connect,
   * anonymously
   */
  readonly authenticate?: Authenticate<I, ParametersOf<P>>;
  /**
   * Makes what the application keeps in `session.data`. Called once for each session. Write it
   * before `authorize` and `presence`: TypeScript reads options in order, and takes the type of the
   * data from here.
   * @default undefined
   */
  readonly sessionData?: (start: { readonly identity: I; readonly parameters: ParametersOf<P> }) => Data;
  /** Whether a session may join a channel. @default everyone may join every channel */
  readonly authorize?: (question: AuthorizeQuestion<P, I, Data>) => boolean | Promise<boolean>;
  /**
   * How documents of channels belong to the application's own database, by channel: `load` and
   * `save`.
   * @default the broker has them, and nobody else
   */
  readonly documents?: DocumentOptions<P>;
  /**
   * What others see of a user who is on a channel, by channel. Undefined: the user is not seen.
   * @default what the user's client says
   */
  readonly presence?: {
    readonly [C in PresenceChannelName<P>]?: (
      question: PresenceQuestion<P, C, I, Data>,
    ) => SentPresenceOf<P, C> | undefined;
  };
}
