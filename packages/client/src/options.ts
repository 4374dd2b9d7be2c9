import type { Logger, ProtocolDefinition, Schema, SentParametersOf } from "@holdfast/protocol";
import type { EnvironmentOption } from "./environment.js";
import type { PositionKeeper } from "./keep-positions.js";
import type { WebSocketConstructor } from "./socket-contract.js";

export type { Logger };

/** A credential, or a function that returns one. */
export type TokenSource = string | (() => string | null | undefined | Promise<string | null | undefined>);

export interface BaseOptions {
  /**
   * The server's address: `wss://example.com/ws`, or on a page a path such as `/ws` for the page's
   * origin. `http` and `https` are read as `ws` and `wss`. A path is resolved when the client
   * connects, so you can also create the client while a server renders the page. If an address can
   * never work, `createClient` throws INVALID_OPTION; a page's production build does not check the
   * address.
   */
  readonly url: string;
  /**
   * The credential. The client sends the token in `auth` messages, never in the URL. A function is
   * called before every attempt and before the token expires, so the function can return a fresh
   * token. If the function throws, rejects or takes longer than `connectTimeoutMs`, the attempt
   * fails and the client retries with backoff. If the function returns no token, the client stops
   * in the state `unauthorized`.
   * @default none: the connection is anonymous, or the server authenticates the client by cookies
   */
  readonly token?: TokenSource | undefined;
  /**
   * Whether the client connects as soon as it is created. If false, the client waits for
   * `connect()`.
   * @default true
   */
  readonly autoConnect?: boolean | undefined;
  /**
   * Identifies this device: 1 to 128 characters that stay the same for the same device. A newer
   * connection of the same device replaces the older connection. Required if the protocol declares
   * `deviceId: "required"`.
   * @default none: each session is its own device, unless the server assigns a device id
   */
  readonly deviceId?: string | undefined;
  /**
   * How long a request may take, including the wait for a connection. A call can override the limit
   * with `timeoutMs`. Milliseconds.
   * @default 30_000
   */
  readonly requestTimeoutMs?: number | undefined;
  /**
   * How long each step of an attempt may take: fetching the token, opening the socket, and the
   * handshake. Milliseconds.
   * @default 10_000
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Limits of the delay before a retry. The delay is random between 0 and a window that doubles
   * with each failed attempt, from `minMs` to `maxMs`. Milliseconds.
   * @default { minMs: 1_000, maxMs: 30_000 }
   */
  readonly retry?: { readonly minMs?: number | undefined; readonly maxMs?: number | undefined } | undefined;
  /**
   * Stores positions, so that a new client resumes its channels after a reload or restart:
   * `keepPositions(sessionStorage)`. Affects only channels with history. Without this option, a new
   * client receives only the events after its joins. A reconnect of the same client resumes
   * channels with or without this option.
   * @default none: positions live as long as the client
   */
  readonly positions?: PositionKeeper | undefined;
  /**
   * Receives the client's log. The client never logs a token. A page's production build logs
   * nothing at the level `debug`.
   * @default silent
   */
  readonly logger?: Logger | undefined;
  /**
   * The WebSocket class that the client uses.
   * @default the global class in browsers and React Native, `ws` in Node
   */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /**
   * Replaces the clock, the random numbers, the sockets or the platform's network hints. You can
   * replace each member, and each member of the clock, separately. On React Native, pass `hints`
   * that you build from AppState and NetInfo.
   * @default the platform's own
   */
  readonly environment?: EnvironmentOption | undefined;
}

/**
 * The options of `createClient`. `parameters` is required if the protocol declares parameters, and
 * `deviceId` if the protocol declares `deviceId: "required"`.
 */
export type ClientOptions<P extends ProtocolDefinition> = BaseOptions &
  (P extends { readonly parameters: Schema }
    ? { /** The connection parameters, sent in the query string. */ readonly parameters: SentParametersOf<P> }
    : { readonly parameters?: undefined }) &
  (P extends { readonly deviceId: "required" } ? { readonly deviceId: string } : unknown);

export interface ClientSettings {
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly retry: { readonly minMs: number; readonly maxMs: number };
}
