import {
  HoldfastError,
  type ParametersOf,
  type PresenceChannelName,
  type PresenceOf,
  type ProtocolDefinition,
  type SentPresenceOf,
} from "@holdfast/protocol";
import type { CredentialOptions } from "./auth/credential.js";
import type { Authenticate, Identity } from "./auth/identity.js";
import { hostsFault, normalOrigin, originsFault } from "./auth/origin.js";
import type { Broker } from "./broker/broker.js";
import { type Environment, nodeEnvironment } from "./environment.js";
import { type Logger, silentLogger, sturdy } from "./observe/logger.js";
import type { StateOptions } from "./state/hooks.js";
import type { Session } from "./session/session.js";

/** What `authorize` is asked. */
export interface AuthorizeQuestion<I, Parameters = unknown, Data = unknown> {
  readonly identity: I;
  readonly session: Session<I, Parameters, Data>;
  /** The channel's name, without its key. */
  readonly channel: string;
  readonly key: string | undefined;
  readonly action: "subscribe";
}

/** What `presence` is asked: what others see of a user on a channel. */
export interface PresenceQuestion<I, Parameters = unknown, Data = unknown, Said = unknown> {
  readonly identity: I;
  readonly session: Session<I, Parameters, Data>;
  readonly key: string | undefined;
  /** What a client of the user said last, validated. A claim. Undefined when none has said anything yet, or it withdraws. */
  readonly data: Said | undefined;
}

export interface DeviceOptions {
  /** Devices one user may have connected, at most 10,000. @default 50 */
  readonly perUser?: number;
  /**
   * What happens to one more: it is refused (close code 4429, and it tries again later), or it takes the place of the device
   * heard from longest ago (which is told 4409).
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
  /** The largest message a client may send, in bytes, at least 1,024; a larger one is close code 1009. @default 65_536 */
  readonly messageBytes: number;
  /** Channels one connection may have joined, at most 10,000. @default 128 */
  readonly subscriptions: number;
  /** Members one channel may have. @default 10_000 */
  readonly subscribersPerChannel: number;
  /** Requests one connection may have running. @default 64 */
  readonly requestsInFlight: number;
  /** Bytes a connection may be owed before it counts as too slow (close code 4413). @default 1_048_576 */
  readonly owedBytes: number;
  /**
   * The largest document of a channel, in bytes of JSON; a quarter of `owedBytes` at most, since a client that joins several channels
   * is owed them at once. @default 262_144, or that quarter
   */
  readonly stateBytes: number;
  /** Users who are listed as present on one channel, at most 10,000; more are only counted. @default 1_000 */
  readonly presencePerChannel: number;
}

/** The options that do not depend on the protocol. */
export interface GeneralOptions {
  /** Where a credential may come from besides the `auth` message and the Authorization header. */
  readonly credentials?: CredentialOptions;
  /**
   * Pages of other origins that may connect, such as "https://app.example.com"; those of the server's own origin always may.
   * An empty list: only those.
   * @default any page may connect, but none of another origin with a credential cookie
   */
  readonly origins?: readonly string[];
  /**
   * Names and addresses that the server answers to, with or without a port, such as "app.example.com": a request with another
   * Host is refused with HTTP 421. Give it if pages reach the server by a name over plain HTTP.
   * @default any Host; but a page is of the server's own origin only if its Host cannot be forged by DNS rebinding: `localhost`, an
   *   address, `https`, or a proxy that sends `X-Forwarded-For` or the like
   */
  readonly hosts?: readonly string[];
  readonly heartbeat?: HeartbeatOptions;
  readonly limits?: Partial<Limits>;
  /** How long a new connection may take to authenticate. @default 5_000 */
  readonly authTimeoutMs?: number;
  readonly devices?: DeviceOptions;
  /**
   * How long a session waits for its client after its connection was lost; 0: not at all. Milliseconds. @default 120_000
   */
  readonly sessionResumeMs?: number;
  /** How long a user stays present on a channel after the last device has left it; 0: not at all. Milliseconds. @default 5_000 */
  readonly presenceGraceMs?: number;
  /** How long a handler may run; a client may ask for less. Also the limit of `authorize`. @default 30_000 */
  readonly requestTimeoutMs?: number;
  /**
   * What carries events between instances and keeps what clients may have missed. `redisBroker` of `@holdfast/server/redis` makes
   * several processes one server.
   * @default memoryBroker(): one process, nothing to install
   */
  readonly broker?: Broker;
  /** @default silent */
  readonly logger?: Logger;
  /** Time and chance, for tests. @default the real ones */
  readonly environment?: Environment;
}

export interface ServerOptions<
  P extends ProtocolDefinition,
  I extends Identity | undefined,
  Data = undefined,
> extends GeneralOptions {
  /** Decides who a credential belongs to; throws to refuse it. @default everyone may connect, anonymously */
  readonly authenticate?: Authenticate<I, ParametersOf<P>>;
  /**
   * Makes what the application keeps in `session.data`. Called once for each session. Write it before `authorize` and
   * `presence`: TypeScript reads options in order, and takes the type of the data from here.
   * @default undefined
   */
  readonly sessionData?: (start: { readonly identity: I; readonly parameters: ParametersOf<P> }) => Data;
  /** Whether a session may do something on a channel. @default everyone may */
  readonly authorize?: (question: AuthorizeQuestion<I, ParametersOf<P>, Data>) => boolean | Promise<boolean>;
  /**
   * How documents of channels belong to the application's own database, by channel: `load` and `save`.
   * @default the broker has them, and nobody else
   */
  readonly state?: StateOptions<P>;
  /**
   * What others see of a user who is on a channel, by channel. Undefined: the user is not seen.
   * @default what the user's client says
   */
  readonly presence?: {
    readonly [C in PresenceChannelName<P>]?: (
      question: PresenceQuestion<I, ParametersOf<P>, Data, PresenceOf<P, C>>,
    ) => SentPresenceOf<P, C> | undefined;
  };
}

/** The options with their defaults, as the parts of the server take them. */
export interface Settings {
  readonly credentials: CredentialOptions;
  readonly origins: readonly string[] | undefined;
  readonly hosts: readonly string[] | undefined;
  readonly heartbeat: Required<HeartbeatOptions>;
  readonly limits: Limits;
  readonly devices: Required<DeviceOptions>;
  readonly sessionResumeMs: number;
  readonly presenceGraceMs: number;
  readonly authTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly logger: Logger;
  readonly environment: Environment;
}

const defaultLimits: Limits = {
  connections: 10_000,
  messageBytes: 65_536,
  subscriptions: 128,
  subscribersPerChannel: 10_000,
  requestsInFlight: 64,
  owedBytes: 1_048_576,
  stateBytes: 262_144,
  presencePerChannel: 1_000,
};

/** Every option there is, and the kind of its value. A misspelt `authenticate` would otherwise leave the door open. */
const kinds: { readonly [Option in keyof ServerOptions<never, never>]-?: "function" | "object" | "number" } = {
  authenticate: "function",
  authorize: "function",
  credentials: "object",
  origins: "object",
  hosts: "object",
  heartbeat: "object",
  sessionData: "function",
  state: "object",
  presence: "object",
  devices: "object",
  sessionResumeMs: "number",
  presenceGraceMs: "number",
  limits: "object",
  authTimeoutMs: "number",
  requestTimeoutMs: "number",
  broker: "object",
  logger: "object",
  environment: "object",
};
const parts: { readonly [option: string]: readonly string[] } = {
  credentials: ["cookie", "queryToken", "ticket", "message"] satisfies (keyof CredentialOptions)[],
  heartbeat: ["intervalMs", "timeoutMs"] satisfies (keyof HeartbeatOptions)[],
  devices: ["perUser", "whenFull"] satisfies (keyof DeviceOptions)[],
  limits: Object.keys(defaultLimits),
};

function checkKnown(options: object): void {
  if (typeof options !== "object" || options === null) invalid("options", "expected an object");
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    if (!Object.hasOwn(kinds, name)) invalid(name, `is not an option; there are ${Object.keys(kinds).join(", ")}`);
    if (value === undefined) continue;
    const kind = kinds[name as keyof typeof kinds];
    if (typeof value !== kind || value === null) invalid(name, `expected ${kind === "object" ? "an" : "a"} ${kind}`);
    const known = parts[name];
    for (const part of known ? Object.keys(value) : []) {
      if (!known!.includes(part)) invalid(`${name}.${part}`, `is not an option; there are ${known!.join(", ")}`);
    }
  }
}

/** @throws HoldfastError INVALID_OPTION, naming the option */
export function settle(options: GeneralOptions & { readonly authenticate?: unknown }): Settings {
  checkKnown(options);
  const { logger = silentLogger } = options;
  for (const level of ["debug", "info", "warn", "error"] as const)
    if (typeof logger[level] !== "function") invalid("logger", `has no function ${level}`);
  const { environment = nodeEnvironment } = options;
  for (const member of Object.keys(nodeEnvironment) as (keyof Environment)[])
    if (typeof environment[member] !== "function") invalid(`environment.${member}`, "expected a function");
  if (options.broker && typeof options.broker.join !== "function")
    invalid("broker", "expected a broker, such as redisBroker({ url })");
  const settings: Settings = {
    credentials: options.credentials ?? {},
    origins: checkedOrigins(options),
    hosts: options.hosts,
    heartbeat: {
      intervalMs: options.heartbeat?.intervalMs ?? 30_000,
      timeoutMs: options.heartbeat?.timeoutMs ?? 10_000,
    },
    limits: limitsOf(options.limits),
    devices: { perUser: options.devices?.perUser ?? 50, whenFull: options.devices?.whenFull ?? "refuse" },
    sessionResumeMs: options.sessionResumeMs ?? 120_000,
    presenceGraceMs: options.presenceGraceMs ?? 5_000,
    authTimeoutMs: options.authTimeoutMs ?? 5_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    logger: sturdy(logger),
    environment,
  };
  duration("heartbeat.intervalMs", settings.heartbeat.intervalMs);
  duration("heartbeat.timeoutMs", settings.heartbeat.timeoutMs);
  duration("authTimeoutMs", settings.authTimeoutMs);
  duration("requestTimeoutMs", settings.requestTimeoutMs);
  for (const name of ["sessionResumeMs", "presenceGraceMs"] as const)
    if (settings[name] !== 0) duration(name, settings[name]);
  // Whole, and never Infinity: clients are told, and JSON would say null.
  for (const [name, value] of Object.entries(settings.limits)) whole(`limits.${name}`, value);
  // Clients send messages of this size before they know the limit.
  if (settings.limits.messageBytes < 1_024)
    invalid("limits.messageBytes", "expected at least 1024: a subscribe of one channel takes up to 884 bytes");
  if (settings.limits.stateBytes * 4 > settings.limits.owedBytes)
    invalid("limits.stateBytes", "expected at most a quarter of limits.owedBytes");
  whole("devices.perUser", settings.devices.perUser);
  listed("limits.subscriptions", settings.limits.subscriptions);
  listed("limits.presencePerChannel", settings.limits.presencePerChannel);
  listed("devices.perUser", settings.devices.perUser);
  if (!["refuse", "replace_oldest"].includes(settings.devices.whenFull))
    invalid("devices.whenFull", 'expected "refuse" or "replace_oldest"');
  const { cookie, queryToken, ticket, message } = settings.credentials;
  if ((cookie !== undefined || queryToken || ticket || message === false) && !options.authenticate) {
    invalid("credentials", "are never looked at without `authenticate`");
  }
  if (cookie !== undefined && typeof cookie !== "string")
    invalid("credentials.cookie", "expected the name of a cookie");
  for (const [name, value] of Object.entries({ queryToken, ticket, message }))
    if (value !== undefined && typeof value !== "boolean") invalid(`credentials.${name}`, "expected true or false");
  return settings;
}

function checkedOrigins({ origins, hosts }: GeneralOptions): readonly string[] | undefined {
  for (const [name, fault] of [
    ["origins", originsFault(origins)],
    ["hosts", hostsFault(hosts)],
  ] as const)
    if (fault !== undefined) invalid(name, fault);
  return origins?.map(normalOrigin);
}

function limitsOf(given: Partial<Limits> = {}): Limits {
  const limits = { ...defaultLimits, ...given };
  const { stateBytes = Math.min(limits.stateBytes, Math.floor(limits.owedBytes / 4)) } = given;
  return { ...limits, stateBytes };
}

/** A longer timer, Infinity included, would run off at once. */
const MAX_MS = 2 ** 31 - 1;

function duration(name: string, ms: number): void {
  if (!(typeof ms === "number" && ms > 0 && ms <= MAX_MS))
    invalid(name, `expected a number of milliseconds above 0, at most ${MAX_MS}`);
}

function whole(name: string, value: number): void {
  if (!(Number.isSafeInteger(value) && value > 0)) invalid(name, "expected a whole number above 0");
}

function listed(name: string, value: number): void {
  if (value > 10_000) invalid(name, "expected at most 10000: clients refuse a message with a longer list");
}

export function invalid(name: string, sentence: string): never {
  throw new HoldfastError("INVALID_OPTION", `createServer: ${name}: ${sentence}.`, { field: name });
}
