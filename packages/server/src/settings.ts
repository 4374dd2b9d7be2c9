import { HoldfastError } from "@holdfast/protocol";
import * as z from "zod/mini";
import type { Broker } from "./broker/broker.js";
import { isPlainObject, received } from "./call-options.js";
import { type ServerEnvironment, nodeEnvironment } from "./environment.js";
import { hostsFault, normalHost, normalOrigin, originsFault } from "./host-names.js";
import { type Logger, silentLogger, sturdy } from "./observe/logger.js";
import type { CredentialOptions, DeviceOptions, BaseServerOptions, HeartbeatOptions, Limits } from "./options.js";

/** The checked options with their defaults. */
export interface ServerSettings {
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
  readonly environment: ServerEnvironment;
}

/** Node fires a timer with a longer delay, even Infinity, after 1 ms. */
const MAX_MS = 2 ** 31 - 1;
/** Clients refuse a message that contains a longer list. */
const LONGEST_LIST = 10_000;
/** Clients send messages of up to this size before the server has told them the limit. */
const LEAST_MESSAGE_BYTES = 1_024;

/**
 * A schema for one value. `fault` returns the error, or undefined for a valid value. The schema
 * returns the value itself, never a copy.
 */
function leaf<Value>(fault: (value: unknown) => string | undefined): z.ZodMiniType<Value> {
  return z.custom<Value>((value) => fault(value) === undefined, { error: ({ input }) => fault(input) });
}

/** A Promise or a Map has no own members, so all options in it would be ignored. */
const plainFault = (value: unknown): string | undefined =>
  isPlainObject(value) ? undefined : `expected a plain object, ${received(value)}`;
const plain = leaf<never>(plainFault);

const kind = <Value>(type: "function" | "object"): z.ZodMiniType<Value> =>
  leaf((value) =>
    typeof value === type && value !== null
      ? undefined
      : `expected ${type === "object" ? "an" : "a"} ${type}, ${received(value)}`,
  );

const duration = (leastMs: 0 | 1): z.ZodMiniType<number> =>
  leaf((value) =>
    typeof value === "number" && (value > 0 || value === leastMs) && value <= MAX_MS
      ? undefined
      : `expected a number of milliseconds above 0 and at most ${MAX_MS}${leastMs === 0 ? ", or 0" : ""}, ${received(value)}`,
  );

// Never Infinity: the server sends these limits to clients, and JSON turns Infinity into null.
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
const notWhole = (value: unknown): string => `expected an integer above 0, ${received(value)}`;
const whole = leaf<number>((value) => (isWhole(value) ? undefined : notWhole(value)));
const listed = leaf<number>((value) => {
  if (!isWhole(value)) return notWhole(value);
  return value > LONGEST_LIST
    ? `expected at most ${LONGEST_LIST}: clients refuse a message with a longer list`
    : undefined;
});
const messageBytes = leaf<number>((value) => {
  if (!isWhole(value)) return notWhole(value);
  return value < LEAST_MESSAGE_BYTES
    ? `expected at least ${LEAST_MESSAGE_BYTES}: the subscribe message of one channel takes up to 884 bytes`
    : undefined;
});

const flag = z.optional(
  leaf<boolean>((value) => (typeof value === "boolean" ? undefined : `expected true or false, ${received(value)}`)),
);
const someFunction = z.optional(kind<never>("function"));
const levels = ["debug", "info", "warn", "error"] as const;

const part = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, { error: ({ code }) => (code === "invalid_type" ? "expected an object" : undefined) });

const parts = {
  credentials: part({
    cookie: z.optional(
      leaf<string>((value) =>
        typeof value === "string" ? undefined : `expected a string, the name of a cookie, ${received(value)}`,
      ),
    ),
    queryToken: flag,
    ticket: flag,
    message: flag,
  }),
  heartbeat: part({ intervalMs: z._default(duration(1), 30_000), timeoutMs: z._default(duration(1), 10_000) }),
  limits: part({
    connections: z._default(whole, 10_000),
    messageBytes: z._default(messageBytes, 65_536),
    subscriptions: z._default(listed, 128),
    subscribersPerChannel: z._default(whole, 10_000),
    requestsInFlight: z._default(whole, 64),
    owedBytes: z._default(whole, 1_048_576),
    documentBytes: z.optional(whole),
    presencePerChannel: z._default(listed, 1_000),
  }),
  devices: part({
    perUser: z._default(listed, 50),
    whenFull: z._default(
      leaf<"refuse" | "replace_oldest">((value) =>
        value === "refuse" || value === "replace_oldest"
          ? undefined
          : `expected "refuse" or "replace_oldest", ${received(value)}`,
      ),
      "refuse",
    ),
  }),
};

/**
 * The schema of all options of `createServer`. Unknown options are refused: a misspelt
 * `authenticate` would leave the server open to everyone. The types and docstrings are in
 * `ServerOptions`, and options.test-d.ts proves that both have the same names.
 */
export const optionsSchema = part({
  authenticate: someFunction,
  authorize: someFunction,
  sessionData: someFunction,
  documents: z.optional(plain),
  presence: z.optional(plain),
  credentials: z.prefault(parts.credentials, {}),
  heartbeat: z.prefault(parts.heartbeat, {}),
  limits: z.prefault(parts.limits, {}),
  devices: z.prefault(parts.devices, {}),
  origins: z.optional(leaf<readonly string[]>((value) => originsFault(value as readonly string[]))),
  hosts: z.optional(leaf<readonly string[]>((value) => hostsFault(value as readonly string[]))),
  sessionResumeMs: z._default(duration(0), 120_000),
  presenceGraceMs: z._default(duration(0), 5_000),
  authTimeoutMs: z._default(duration(1), 5_000),
  requestTimeoutMs: z._default(duration(1), 30_000),
  broker: z.optional(
    leaf<Broker>((value) =>
      typeof (value as Partial<Broker> | null)?.join === "function"
        ? undefined
        : `expected a broker, such as \`redisBroker({ url })\`, ${received(value)}`,
    ),
  ),
  logger: z._default(
    leaf<Logger>((value) => {
      const missing = levels.find((level) => typeof (value as Partial<Logger> | null)?.[level] !== "function");
      return missing && `expected a logger with the function ${missing}`;
    }),
    silentLogger,
  ),
  environment: z._default(kind<ServerEnvironment>("object"), nodeEnvironment),
});

/**
 * Checks the options and fills in the defaults.
 *
 * @throws HoldfastError INVALID_OPTION; `field` names the option
 */
export function settle(options: BaseServerOptions & { readonly authenticate?: unknown }): ServerSettings {
  checkPlain("options", options);
  for (const name of Object.keys(parts) as (keyof typeof parts)[]) checkPlain(name, options[name] ?? {});
  const { data, error } = optionsSchema.safeParse(options);
  if (error) refuse(error.issues[0]!);
  const { limits, origins, logger, environment, credentials } = data;
  for (const member of Object.keys(nodeEnvironment) as (keyof ServerEnvironment)[])
    if (typeof environment[member] !== "function")
      invalid(`environment.${member}`, `expected a function, ${received(environment[member])}`);
  const { cookie, queryToken, ticket, message } = credentials;
  if ((cookie !== undefined || queryToken || ticket || message === false) && !options.authenticate)
    invalid("credentials", "has no effect without `authenticate`; set `authenticate`, or leave `credentials` out");
  const quarter = Math.floor(limits.owedBytes / 4);
  const { documentBytes = Math.min(262_144, quarter) } = limits;
  if (documentBytes > quarter) invalid("limits.documentBytes", "expected at most a quarter of `limits.owedBytes`");
  return {
    ...data,
    origins: origins?.map(normalOrigin),
    hosts: data.hosts?.map(normalHost),
    limits: { ...limits, documentBytes: documentBytes },
    logger: sturdy(logger),
  };
}

/**
 * Refuses options that are not a plain object. Zod accepts a Promise as an object, so the server
 * would have no `authenticate` and would admit every client.
 */
function checkPlain(name: string, given: unknown): void {
  const fault = plainFault(given);
  if (fault !== undefined) invalid(name, fault);
}

function refuse({ path, code, message, ...issue }: z.core.$ZodIssue): never {
  const place = path.join(".");
  if (code !== "unrecognized_keys") invalid(place || "options", message);
  const [name] = (issue as z.core.$ZodIssueUnrecognizedKeys).keys;
  invalid(place ? `${place}.${name}` : `${name}`, `is not an option; the options are ${namesAt(path).join(", ")}`);
}

/** The names of the options, or of one group of options. */
function namesAt([name]: readonly PropertyKey[]): string[] {
  return Object.keys((name === undefined ? optionsSchema : parts[name as keyof typeof parts]).shape);
}

export function invalid(name: string, sentence: string): never {
  throw new HoldfastError("INVALID_OPTION", `createServer: ${name}: ${sentence}.`, { field: name });
}
