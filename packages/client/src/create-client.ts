import {
  type ChannelName,
  type ClientMessage,
  type DirectGroup,
  type DirectName,
  type DirectOf,
  type DirectOfGroup,
  type HoldfastError,
  type KeyArguments,
  type OutputOf,
  type Protocol,
  type ProtocolDefinition,
  type RequestName,
  type Schema,
  type SentInputOf,
  subprotocols,
} from "@holdfast/protocol";
import { channelId, serverFrames } from "@holdfast/protocol/internal";
import { type Channel, createChannel, type UntypedChannel } from "./channel.js";
import { checkUrl } from "./check-url.js";
import { createConnection } from "./connection.js";
import type { Status } from "./connection-state.js";
import { isOver } from "./connection-status.js";
import { createDirectEvents } from "./direct-events.js";
import { clockOf, systemEnvironment } from "./environment.js";
import { host } from "./host.js";
import { createErrors, type ErrorListener, faultError } from "./errors.js";
import { createHandlerWatch } from "./handler-watch.js";
import { createMessageRouter } from "./message-router.js";
import type { Observable } from "./observable.js";
import { addressOf, settingsOf, urlOf } from "./settings.js";
import type { ClientOptions } from "./options.js";
import type { WaitOptions } from "./patience.js";
import { createRequests } from "./requests.js";
import { sturdy } from "./sturdy.js";
import { createSubscriptions } from "./subscriptions.js";

/** A type alias, because an editor shows the protocol in every signature of a generic interface. */
export type Client<P extends ProtocolDefinition> = {
  /** What the connection is doing. */
  readonly status: Observable<Status>;
  /**
   * Connects, unless it is connected or connecting; while it waits for the next attempt, the
   * attempt is made at once.
   */
  connect(): void;
  /**
   * Ends the connection and all that waits for it, for good, until `connect()`. Channels stay
   * wanted.
   */
  disconnect(): void;
  /**
   * Calls a request of the protocol. A request that declares no input is called `request(name)` or
   * `request(name, undefined, options)`. Rejects with a HoldfastError: an error the request
   * declares, or a built-in one such as TIMEOUT, CONNECTION_LOST or NOT_CONNECTED.
   */
  request<N extends RequestName<P>>(name: N, ...args: RequestArguments<P, N>): Promise<OutputOf<P, N>>;
  /** A handle on a channel. Making one costs nothing; its first listener joins the channel. */
  channel<C extends ChannelName<P>>(name: C, ...key: KeyArguments<P, C>): Channel<P, C>;
  /** Events sent to this client itself, whatever channels it has joined. */
  readonly direct: {
    /**
     * Calls `handler` for every direct event of this name, in order. Returns its unsubscribe.
     * Direct events have no history, so the second argument of the handler is always undefined.
     */
    on<E extends DirectName<P>>(event: E, handler: (data: DirectOf<P, E>) => unknown): () => void;
    /**
     * The same for a group of them, as `on` of a channel has it: by the dots in their names, and
     * told apart by `event`.
     */
    on<G extends DirectGroup<P>>(group: G, handler: (event: DirectOfGroup<P, G>) => unknown): () => void;
  };
  /**
   * Errors that no caller is waiting for: unreadable events, handlers that throw, refusals of the
   * server.
   */
  onError(listener: ErrorListener): () => void;
};

/** The input, which is undefined if the request declares none, then the options. */
export type RequestArguments<P extends ProtocolDefinition, N extends RequestName<P>> = P extends {
  // Asks for the schema: its type may be `any` or `unknown`, which says nothing about whether there
  // is one.
  readonly requests: { readonly [Name in N]: { readonly input: Schema } };
}
  ? undefined extends SentInputOf<P, N>
    ? [input?: SentInputOf<P, N>, options?: WaitOptions]
    : [input: SentInputOf<P, N>, options?: WaitOptions]
  : [input?: undefined, options?: WaitOptions];

/**
 * Makes a client of a protocol, which connects at once unless told otherwise. Only this function
 * constructs the parts.
 *
 * @throws HoldfastError INVALID_OPTION, naming the option
 */
export function createClient<const P extends ProtocolDefinition>(
  protocol: Protocol<P>,
  options: ClientOptions<P>,
): Client<P> {
  const settings = settingsOf(options, protocol);
  checkUrl(options.url);
  const parameters = protocol.parameters?.send(options.parameters, "parameters");
  if (parameters?.ok === false) {
    throw faultError("INVALID_OPTION", "createClient", parameters.fault);
  }
  // On a page, once and for all; elsewhere a path has no address, and only an attempt to connect
  // needs one.
  const url = (): string => urlOf(options.url, (parameters?.value.data ?? {}) as object);
  const isPath = options.url.startsWith("/");
  const address = addressOf(isPath && !host.location ? options.url : url());

  const clock = clockOf(options.environment?.clock);
  const environment = { ...systemEnvironment, ...options.environment, clock };
  const logger = sturdy(options.logger);
  const codec = serverFrames();
  const { encode } = codec;
  const { report, on: onError } = createErrors(logger, options.logger !== undefined);
  let ids = 0;

  const connection = createConnection({
    environment,
    settings,
    options,
    target: () => ({
      url: url(),
      subprotocols: [codec.subprotocol, subprotocols.auth],
      WebSocket: options.WebSocket,
    }),
    address,
    encode,
    logger,
    onFrame: (frame) => inbox(frame),
    onState(state) {
      // Channels before requests: the answer to a request may come with events that its caller
      // expects to hear.
      subscriptions.setState(state);
      requests.setState(state);
      watch.run(!isOver(state));
    },
    onFault: (fault) => report(fault, { source: "listener" }),
    onUnsent: (error, { channel, correlation_id } = {}) =>
      subscriptions.refuse(correlation_id) || report(error, { source: "send", channel }),
  });
  const { sendable } = connection;
  const send = (message: ClientMessage): void => connection.send(encode(message));
  const fault = (message: ClientMessage, where?: string): HoldfastError | undefined =>
    sendable.fault(encode(message), where);
  const watch = createHandlerWatch(clock, report, connection.count);
  /** Each part takes of these what its interface names. */
  const shared = {
    protocol,
    connection,
    clock,
    random: environment.random,
    timeoutMs: settings.requestTimeoutMs,
    nextId: () => (++ids).toString(36),
    encode,
    send,
    sendable,
    fault,
    report,
    watch,
    logger,
    address,
  };
  const requests = createRequests({ ...shared, send: connection.send, fault: sendable.fault });
  const positions = options.positions?.({ name: protocol.name, url: address, clock, report });
  const subscriptions = createSubscriptions({ ...shared, positions });
  const direct = createDirectEvents(shared);
  const inbox = createMessageRouter({ ...shared, codec, requests, subscriptions, direct });

  // Where a page is rendered on a server there is nothing to connect to.
  if ((options.autoConnect ?? true) && (!isPath || host.location)) connection.dispatch({ type: "connect" });

  return {
    status: connection.status,
    connect: () => connection.dispatch({ type: "connect" }),
    disconnect: () => connection.dispatch({ type: "disconnect" }),
    // The output was parsed by the schema that its type is inferred from.
    request: requests.request as Client<P>["request"],
    channel(name, key?: unknown) {
      const id = channelId(protocol, name, key);
      if (!id.ok) throw faultError("UNKNOWN_CHANNEL", "channel", id.fault);
      // Its name is the one that it was found by, and its key was parsed by the schema that the
      // type is inferred from.
      return createChannel(id.value, { ...shared, subscriptions }) as UntypedChannel &
        Pick<Channel<P, typeof name>, "name" | "key">;
    },
    direct: { on: direct.on },
    onError,
  };
}
