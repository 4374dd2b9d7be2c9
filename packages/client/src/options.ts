import type { Logger, ProtocolDefinition, Schema, SentParametersOf } from "@holdfast/protocol";
import type { EnvironmentOption } from "./environment.js";
import type { PositionKeeper } from "./keep-positions.js";
import type { WebSocketConstructor } from "./socket-contract.js";

export type { Logger };

/** A credential, or how to get one. */
export type TokenSource = string | (() => string | null | undefined | Promise<string | null | undefined>);

export interface BaseOptions {
  /**
   * Where the server is: `wss://example.com/ws`, or on a page `/ws` for its own origin. `http` and
   * `https` are read as `ws` and `wss`. A path is resolved when the client connects, so that a
   * server that renders the page may make the client too. An address that can never work is
   * refused.
   */
  readonly url: string;
  /**
   * The credential, sent in the first message and never in the URL. A function is called before
   * every attempt, so that it can give a fresh one. If it throws, rejects or takes longer than
   * `connectTimeoutMs`, the attempt has failed and the next one follows with backoff; if it gives
   * nothing, the client stops in the state `unauthorized`.
   * @default none: the connection is anonymous, or authenticated by its cookies
   */
  readonly token?: TokenSource | undefined;
  /**
   * Whether to connect as soon as the client is made. Otherwise it waits for `connect()`.
   * @default true
   */
  readonly autoConnect?: boolean | undefined;
  /**
   * Names this device: the same text as long as it is the same device, 1 to 128 characters. A newer
   * connection of the same device replaces the older one. Where the protocol says `deviceId:
   * "required"` it cannot be left out.
   * @default none: each session is a device of its own, unless the server knows better
   */
  readonly deviceId?: string | undefined;
  /**
   * How long a request may take, waiting for a connection included. One call can set its own.
   * Milliseconds.
   * @default 30_000
   */
  readonly requestTimeoutMs?: number | undefined;
  /**
   * How long each step of an attempt may take: fetching the token, opening the socket, the
   * handshake. Milliseconds.
   * @default 10_000
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * The delay before an attempt is random, between 0 and a window that doubles from `minMs` to
   * `maxMs`. Milliseconds.
   * @default { minMs: 1_000, maxMs: 30_000 }
   */
  readonly retry?: { readonly minMs?: number | undefined; readonly maxMs?: number | undefined } | undefined;
  /**
   * Where a client that starts anew goes on with its channels: `keepPositions(sessionStorage)`. It
   * concerns channels with history, which otherwise begin with the first event after joining. A
   * reconnect continues them with or without it.
   * @default none: positions live as long as the client
   */
  readonly positions?: PositionKeeper | undefined;
  /**
   * Told what the client does and why. Never given a token. A page's production build logs nothing
   * at the level `debug`.
   * @default silent
   */
  readonly logger?: Logger | undefined;
  /**
   * The WebSocket class.
   * @default the global one in browsers and React Native, `ws` in Node
   */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /**
   * Clock, random numbers, sockets and what the platform says about the network, each replaceable,
   * and so is each member of the clock. On React Native, pass `hints` made from AppState and
   * NetInfo.
   * @default the platform's
   */
  readonly environment?: EnvironmentOption | undefined;
}

/**
 * The options of `createClient`. `parameters` is required where the protocol declares them,
 * `deviceId` where it says so.
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
