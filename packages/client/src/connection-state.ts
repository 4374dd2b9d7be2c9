import type { CloseCodeName, HoldfastError } from "@holdfast/protocol";
import type { SocketEnd } from "./socket-contract.js";

/**
 * The connection, from the first attempt to the last.
 *
 *            connect                token          open             connected
 *   idle ------------> preparing ---------> opening ----> authenticating ----> ready
 *                       ^   ^  |               |                |                |
 *        4401: once more|   |  |               |                |                |
 *        with a new     |   |  +---------------+----------------+----------------+
 *        token          |   |     failed, ended, silent: what the close code's row says
 *                       |   |                        |
 *                       |   +------ waiting <--------+  retry, retry_after
 *                       +----------------------------+  new_token
 *                                                    |
 *                              unauthorized <--------+  no token, or refused too often
 *                              closed       <--------+  stop, or nothing can be sent; from everywhere: disconnect
 *
 * connect() leaves idle, unauthorized and closed, and cuts waiting short. Without a token option,
 * preparing is skipped. What a state does, it does on entering (connection.ts); what has a
 * deadline, by the monotonic clock, ends by itself. A newer token for a live connection is no
 * state: nothing waits for it, and where it does not come the server ends the connection.
 */
export type ConnectionState =
  | { readonly name: "idle" }
  /** Fetches the token. */
  | { readonly name: "preparing"; readonly made: Attempts; readonly deadline: number }
  /** Opens the socket. */
  | {
      readonly name: "opening";
      readonly made: Attempts;
      readonly token?: string | undefined;
      readonly deadline: number;
    }
  /** Sends `auth` and `subscribe`; `connected` is due. */
  | {
      readonly name: "authenticating";
      readonly made: Attempts;
      readonly token?: string | undefined;
      readonly deadline: number;
      /** The server's words, which come before its close code. */
      readonly refusal?: HoldfastError;
    }
  | {
      readonly name: "ready";
      readonly made: Attempts;
      readonly session: SessionInfo;
      readonly limits: ServerLimits;
      readonly since: number;
      /** Of a newer token, in the server's words, which come before its close code. */
      readonly refusal?: HoldfastError;
      /** What `goaway` named: the delay before the connection that follows this one. */
      readonly goawayMs?: number;
    }
  | {
      readonly name: "waiting";
      readonly made: Attempts;
      readonly reason: CloseInfo;
      readonly deadline: number;
      /** No hint of the platform makes the attempt earlier than this: the server asked for it. */
      readonly notBefore: number;
      /** The platform says offline, and the attempt is put off once. */
      readonly held: boolean;
    }
  | { readonly name: "unauthorized"; readonly reason: CloseInfo }
  | { readonly name: "closed"; readonly reason: CloseInfo };

export interface Attempts {
  /** How many attempts were made since the last connection that lasted, this one included. */
  readonly attempt: number;
  /** When refused credentials were renewed within the last minute. By the monotonic clock. */
  readonly renewals: readonly number[];
  /** Why the attempt before this one, or the connection before it, came to nothing. */
  readonly failure?: CloseInfo | undefined;
}

export interface SessionInfo {
  readonly sessionId: string;
  /**
   * Whether it is the session of the connection before this one, with what the server keeps in it.
   */
  readonly resumed: boolean;
  readonly userId?: string | undefined;
  readonly deviceId?: string | undefined;
}

/** What the server announced of itself. */
export interface ServerLimits {
  /** Whoever sends no frame for this long is gone. Milliseconds. */
  readonly silenceMs: number;
  readonly messageBytes: number;
  readonly requestsInFlight: number;
}

/**
 * The name of the close code, as `closeCode` of `@holdfast/protocol` gives it: a name of the
 * close-code table, `APPLICATION_RETRY` for 4800 to 4899, `APPLICATION_STOP` for 4900 to 4999, or
 * `UNKNOWN` for any other. If the client ended the attempt or the connection itself:
 * - `CONNECT_TIMEOUT`: a step took longer than `connectTimeoutMs`
 * - `TOKEN_FAILED`: the token function threw, rejected or took longer than `connectTimeoutMs`
 * - `NO_TOKEN`: the token function gave no token
 * - `DISCONNECTED`: `disconnect()` was called
 */
export type CloseInfoName = CloseCodeName | "CONNECT_TIMEOUT" | "TOKEN_FAILED" | "NO_TOKEN" | "DISCONNECTED";

/** Why there is no connection. */
export interface CloseInfo {
  readonly name: CloseInfoName;
  /** The close code; absent when there was none. */
  readonly code?: number | undefined;
  /** One sentence for a person. */
  readonly message: string;
  /** The refusal or failure behind it, where there is one. */
  readonly error?: unknown;
}

/** What can happen to a connection. */
export type ConnectionEvent =
  | { readonly type: "connect" }
  | { readonly type: "disconnect" }
  | { readonly type: "token"; readonly token: string | null | undefined }
  | { readonly type: "token_failed"; readonly error: unknown }
  | { readonly type: "opened" }
  | { readonly type: "refused"; readonly error: HoldfastError }
  | { readonly type: "connected"; readonly session: SessionInfo; readonly limits: ServerLimits }
  | { readonly type: "goaway"; readonly delayMs: number }
  /** `auth` is too large for the server, or every message is: no later attempt can be different. */
  | { readonly type: "unsendable"; readonly error: HoldfastError }
  /** By the other side, the network, or this side's own judgement of the other. */
  | { readonly type: "ended"; readonly end: SocketEnd }
  | { readonly type: "deadline" }
  | { readonly type: "online" }
  | { readonly type: "offline" }
  | { readonly type: "visible" };

export type Over = Extract<ConnectionState, { name: "idle" | "unauthorized" | "closed" }>;

/** What an application sees: the same machine with fewer words, and how its own handlers do. */
export type Status = {
  /**
   * Handlers of events that have been running for more than 30 s: what comes after them waits.
   * Absent: none.
   */
  readonly stuckHandlers?: number;
} & (
  | { readonly name: "idle" }
  | { readonly name: "connecting"; readonly attempt: number }
  | { readonly name: "authenticating"; readonly attempt: number }
  | ({ readonly name: "ready" } & SessionInfo)
  | {
      readonly name: "waiting";
      readonly attempt: number;
      /**
       * When the next attempt is due, for display: a date by the wall clock when the wait began.
       * Milliseconds since 1970.
       */
      readonly retryAt: number;
      readonly reason: CloseInfo;
    }
  | { readonly name: "unauthorized"; readonly reason: CloseInfo }
  | { readonly name: "closed"; readonly reason: CloseInfo }
);
