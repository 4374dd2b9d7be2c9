import type { CloseCodeName, HoldfastError } from "@holdfast/protocol";
import type { SocketEnd } from "./socket-contract.js";

/**
 * The states of the connection. connection-machine.ts holds the transitions.
 *
 *   idle            --connect-->     preparing
 *   preparing       --token-->       opening         (without a `token` option, preparing is skipped)
 *   opening         --opened-->      authenticating
 *   authenticating  --connected-->   ready
 *
 *   preparing       --no token-->                unauthorized
 *   preparing       --token_failed, deadline-->  waiting
 *   opening         --deadline-->                waiting
 *   authenticating  --deadline-->                waiting
 *   waiting         --deadline, connect-->       preparing   (if offline at the deadline: once more)
 *
 * If the socket ends in opening, authenticating or ready, the action of its close code in the
 * close-code table decides:
 *
 *   retry, retry_after  -->  waiting
 *   new_token (4401)    -->  preparing
 *   new_token (4401)    -->  unauthorized    (without a `token` option, or after 3 renewals in a minute)
 *   stop                -->  closed
 *
 *   unauthorized, closed           --connect-->     preparing
 *   every state but closed         --disconnect-->  closed
 *   preparing to ready, waiting    --unsendable-->  closed
 *
 * connection.ts runs the effects of a state when the state is entered. Deadlines are times of the
 * monotonic clock, in milliseconds. If the client is offline at the deadline of waiting, waiting
 * lasts once more, for `retry.maxMs`. Renewing the token of a live connection is not a state,
 * because no caller waits for the token: if no new token arrives in time, the server closes the
 * connection.
 */
export type ConnectionState =
  | { readonly name: "idle" }
  /** The client fetches the token. */
  | { readonly name: "preparing"; readonly made: Attempts; readonly deadline: number }
  /** The client opens the socket. */
  | {
      readonly name: "opening";
      readonly made: Attempts;
      readonly token?: string | undefined;
      readonly deadline: number;
    }
  /** The client has sent `auth` and `subscribe` and waits for `connected`. */
  | {
      readonly name: "authenticating";
      readonly made: Attempts;
      readonly token?: string | undefined;
      readonly deadline: number;
      /** The server's error, which arrives before its close code. */
      readonly refusal?: HoldfastError;
    }
  | {
      readonly name: "ready";
      readonly made: Attempts;
      readonly session: SessionInfo;
      readonly limits: ServerLimits;
      readonly since: number;
      /** The server's error about a newer token, which arrives before its close code. */
      readonly refusal?: HoldfastError;
      /** The delay that `goaway` announced for the next connection. */
      readonly goawayMs?: number;
    }
  | {
      readonly name: "waiting";
      readonly made: Attempts;
      readonly reason: CloseInfo;
      readonly deadline: number;
      /**
       * The earliest time at which the server allows the attempt. `online` and `visible` never
       * start the attempt earlier.
       */
      readonly notBefore: number;
      /**
       * True if the attempt was postponed because the platform was offline at the deadline. The
       * attempt is postponed only once.
       */
      readonly held: boolean;
    }
  | { readonly name: "unauthorized"; readonly reason: CloseInfo }
  | { readonly name: "closed"; readonly reason: CloseInfo };

export interface Attempts {
  /**
   * The number of this attempt, from 1. The count begins again when a connection that lasted at
   * least 5 s ends: that connection counts as attempt 1, so the first retry is attempt 2.
   */
  readonly attempt: number;
  /**
   * The times at which the client fetched a new token because the server had refused the old one
   * with 4401. Times older than a minute are removed when a connection ends. Monotonic clock,
   * milliseconds.
   */
  readonly renewals: readonly number[];
  /**
   * The reason why the previous attempt or connection ended. Undefined for the first attempt after
   * `connect()`.
   */
  readonly failure?: CloseInfo | undefined;
}

export interface SessionInfo {
  readonly sessionId: string;
  /**
   * True if the server resumed the session of the previous connection, with the data it stores for
   * that session.
   */
  readonly resumed: boolean;
  readonly userId?: string | undefined;
  readonly deviceId?: string | undefined;
}

/** The limits that the server announced in `connected`. */
export interface ServerLimits {
  /** A server that sends no frame for this long counts as a dead peer. Milliseconds. */
  readonly silenceMs: number;
  readonly messageBytes: number;
  readonly requestsInFlight: number;
}

/**
 * The name of the close code, as `closeCode` of `@holdfast/protocol` returns it: a name of the
 * close-code table, `APPLICATION_RETRY` for 4800 to 4899, `APPLICATION_STOP` for 4900 to 4999, or
 * `UNKNOWN` for any other code. The client adds four names of its own:
 * - `CONNECT_TIMEOUT`: a step took longer than `connectTimeoutMs`
 * - `TOKEN_FAILED`: the token function threw, rejected or took longer than `connectTimeoutMs`
 * - `NO_TOKEN`: the token function returned no token
 * - `DISCONNECTED`: `disconnect()` was called
 */
export type CloseInfoName = CloseCodeName | "CONNECT_TIMEOUT" | "TOKEN_FAILED" | "NO_TOKEN" | "DISCONNECTED";

/** The reason why there is no connection. */
export interface CloseInfo {
  readonly name: CloseInfoName;
  /** The close code. Undefined for `CONNECT_TIMEOUT`, `TOKEN_FAILED` and `NO_TOKEN`. */
  readonly code?: number | undefined;
  /** One sentence for a human reader. */
  readonly message: string;
  /** The underlying refusal or failure, if there is one. */
  readonly error?: unknown;
}

/** The events of the connection's state machine. */
export type ConnectionEvent =
  | { readonly type: "connect" }
  | { readonly type: "disconnect" }
  | { readonly type: "token"; readonly token: string | null | undefined }
  | { readonly type: "token_failed"; readonly error: unknown }
  | { readonly type: "opened" }
  | { readonly type: "refused"; readonly error: HoldfastError }
  | { readonly type: "connected"; readonly session: SessionInfo; readonly limits: ServerLimits }
  | { readonly type: "goaway"; readonly delayMs: number }
  /**
   * The token cannot be sent, `auth` is larger than the server accepts, or the server refuses even
   * small messages as too large. A retry would fail in the same way.
   */
  | { readonly type: "unsendable"; readonly error: HoldfastError }
  /**
   * The socket has ended: the server closed the connection, the network failed, no socket could be
   * opened, or this client closed the connection to a dead peer.
   */
  | { readonly type: "ended"; readonly end: SocketEnd }
  | { readonly type: "deadline" }
  | { readonly type: "online" }
  | { readonly type: "offline" }
  | { readonly type: "visible" };

export type Over = Extract<ConnectionState, { name: "idle" | "unauthorized" | "closed" }>;

/**
 * The public status: the same states, with `preparing` and `opening` shown as `connecting`, plus
 * the number of stuck handlers.
 */
export type Status = {
  /**
   * The number of event handlers that have run for more than 30 s. Later events of their channels
   * wait. Absent while no handler is stuck.
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
       * The time of the next attempt, for display: milliseconds since 1970, computed from the wall
       * clock when the wait began.
       */
      readonly retryAt: number;
      readonly reason: CloseInfo;
    }
  | { readonly name: "unauthorized"; readonly reason: CloseInfo }
  | { readonly name: "closed"; readonly reason: CloseInfo }
);
