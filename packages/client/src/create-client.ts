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

/**
 * A type alias, because an editor shows the whole protocol in every signature of a generic
 * interface.
 */
export type Client<P extends ProtocolDefinition> = {
  /** The state of the connection. */
  readonly status: Observable<Status>;
  /**
   * Connects. Does nothing if the client is connected or connecting. While the client waits before
   * a retry, the attempt starts at once.
   */
  connect(): void;
  /**
   * Closes the connection and rejects every pending request and `join()` with NOT_CONNECTED. The
   * client stays closed until `connect()`, which also joins the wanted channels again.
   */
  disconnect(): void;
  /**
   * Sends a request of the protocol and resolves with its output. If the request declares no input,
   * call `request(name)` or `request(name, undefined, options)`. Rejects with a HoldfastError: an
   * error that the request declares, or a built-in error such as TIMEOUT, CONNECTION_LOST or
   * NOT_CONNECTED.
   */
  request<N extends RequestName<P>>(name: N, ...args: RequestArguments<P, N>): Promise<OutputOf<P, N>>;
  /**
   * Returns a handle on a channel. Creating a handle sends nothing; the handle's first listener, or
   * `join()`, joins the channel.
   */
  channel<C extends ChannelName<P>>(name: C, ...key: KeyArguments<P, C>): Channel<P, C>;
  /** Events that the server sends to this session or user, whether or not any channel is joined. */
  readonly direct: {
    /**
     * Calls `handler` for every direct event of this name, in order, and returns the unsubscribe
     * function. Direct events have no history, so the handler receives no second argument.
     */
    on<E extends DirectName<P>>(event: E, handler: (data: DirectOf<P, E>) => unknown): () => void;
    /**
     * Calls `handler` for every direct event of a group, as `on` of a channel does: `queue.*`, or
     * `*` for all. The handler receives `{ event, data }`.
     */
    on<G extends DirectGroup<P>>(group: G, handler: (event: DirectOfGroup<P, G>) => unknown): () => void;
  };
  /**
   * Adds a listener for errors that no caller waits for, such as unreadable events, handlers that
   * throw, and refusals by the server. Returns the unsubscribe function.
   */
  onError(listener: ErrorListener): () => void;
};

/** The input, which is undefined if the request declares none, followed by the options. */
export type RequestArguments<P extends ProtocolDefinition, N extends RequestName<P>> = P extends {
  // Tests for the schema, because its type may be `any` or `unknown`, which does not reveal whether
  // the request declares an input.
  readonly requests: { readonly [Name in N]: { readonly input: Schema } };
}
  ? undefined extends SentInputOf<P, N>
    ? [input?: SentInputOf<P, N>, options?: WaitOptions]
    : [input: SentInputOf<P, N>, options?: WaitOptions]
  : [input?: undefined, options?: WaitOptions];

/**
 * Creates a client for a protocol. The client connects at once, unless `autoConnect` is false or
 * `url` is a path and there is no page.
 *
 * This function is the only place that constructs the client's parts.
 *
 * @throws HoldfastError INVALID_OPTION, with the option's name in `field`
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
  // On a page the address is known now. Elsewhere a path has no address, and only an attempt to
  // connect needs one.
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
      // Channels before requests, because a response may arrive with events that the caller of the
      // request expects to receive.
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
  /** Each part takes from these the members that its interface names. */
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

  // While a server renders the page, there is no origin to connect to.
  if ((options.autoConnect ?? true) && (!isPath || host.location)) connection.dispatch({ type: "connect" });

  return {
    status: connection.status,
    connect: () => connection.dispatch({ type: "connect" }),
    disconnect: () => connection.dispatch({ type: "disconnect" }),
    // The schema that the output's type is inferred from has parsed the output.
    request: requests.request as Client<P>["request"],
    channel(name, key?: unknown) {
      const id = channelId(protocol, name, key);
      if (!id.ok) throw faultError("UNKNOWN_CHANNEL", "channel", id.fault);
      // The channel was found by this name, and the schema that the key's type is inferred from has
      // parsed the key.
      return createChannel(id.value, { ...shared, subscriptions }) as UntypedChannel &
        Pick<Channel<P, typeof name>, "name" | "key">;
    },
    direct: { on: direct.on },
    onError,
  };
}
