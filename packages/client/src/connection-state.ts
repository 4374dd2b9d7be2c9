import type { HoldfastError } from "@holdfast/protocol";
import type { SocketEnd } from "./socket.js";

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
 *                              closed       <--------+  stop; from everywhere: disconnect
 *
 * connect() leaves idle, unauthorized and closed, and cuts waiting short. Without a token option, preparing is skipped.
 */
export type ConnectionState =
  | { readonly name: "idle" }
  /** Fetches the token. */
  | (Attempt & { readonly name: "preparing" })
  /** The socket opens. */
  | (Attempt & { readonly name: "opening"; readonly token: string | undefined })
  /** `auth` and `subscribe` are on their way; `connected` is due. */
  | (Attempt & { readonly name: "authenticating"; readonly refusal?: HoldfastError | undefined })
  | (Attempts & {
      readonly name: "ready";
      readonly session: Session;
      readonly limits: Limits;
      readonly since: number;
      /** What `goaway` named: the delay before the connection that follows this one. */
      readonly goawayMs?: number | undefined;
    })
  | (Attempt & {
      readonly name: "waiting";
      readonly reason: CloseInfo;
      /** No hint of the platform makes the attempt earlier than this: the server asked for it. */
      readonly notBefore: number;
      /** The platform says offline, and the attempt is put off once. */
      readonly held: boolean;
    })
  | { readonly name: "unauthorized"; readonly reason: CloseInfo }
  | { readonly name: "closed"; readonly reason: CloseInfo };

export interface Attempts {
  /** How many attempts were made since the last connection that lasted, this one included. */
  readonly attempt: number;
  /** When refused credentials were renewed within the last minute. Milliseconds since 1970. */
  readonly renewals: readonly number[];
}

/** A state that ends by itself. The runner has one timer, set to this. */
export interface Attempt extends Attempts {
  readonly deadline: number;
}

export interface Session {
  readonly sessionId: string;
  readonly userId?: string | undefined;
  readonly deviceId?: string | undefined;
}

/** What the server announced of itself. */
export interface Limits {
  /** Whoever sends no frame for this long is gone. Milliseconds. */
  readonly silenceMs: number;
  readonly messageBytes: number;
  readonly requestsInFlight: number;
}

/** Why there is no connection. */
export interface CloseInfo {
  /** A name of the close-code table, or CONNECT_TIMEOUT, TOKEN_FAILED, NO_TOKEN, DISCONNECTED. */
  readonly name: string;
  /** The close code; absent when no socket was involved. */
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
  | { readonly type: "connected"; readonly session: Session; readonly limits: Limits }
  | { readonly type: "mismatch"; readonly error: HoldfastError }
  | { readonly type: "goaway"; readonly delayMs: number }
  | { readonly type: "ended"; readonly end: SocketEnd }
  | { readonly type: "silent" }
  | { readonly type: "deadline" }
  | { readonly type: "online" }
  | { readonly type: "offline" }
  | { readonly type: "visible" };

/** What the runner has to do after a transition, in order. */
export type Effect =
  | { readonly do: "fetch_token" }
  | { readonly do: "open" }
  | { readonly do: "greet"; readonly token: string | undefined }
  | { readonly do: "probe" }
  | { readonly do: "close"; readonly code: number; readonly reason: string };

/** What an application sees: the same machine with fewer words. */
export type Status =
  | { readonly name: "idle" }
  | { readonly name: "connecting"; readonly attempt: number }
  | { readonly name: "authenticating"; readonly attempt: number }
  | ({ readonly name: "ready" } & Session)
  | { readonly name: "waiting"; readonly attempt: number; readonly retryAt: number; readonly reason: CloseInfo }
  | { readonly name: "unauthorized"; readonly reason: CloseInfo }
  | { readonly name: "closed"; readonly reason: CloseInfo };

export function statusOf(state: ConnectionState): Status {
  switch (state.name) {
    case "idle":
      return { name: "idle" };
    case "preparing":
    case "opening":
      return { name: "connecting", attempt: state.attempt };
    case "authenticating":
      return { name: "authenticating", attempt: state.attempt };
    case "ready":
      return { name: "ready", ...state.session };
    case "waiting":
      return { name: "waiting", attempt: state.attempt, retryAt: state.deadline, reason: state.reason };
    case "unauthorized":
    case "closed":
      return { name: state.name, reason: state.reason };
    default:
      return state satisfies never;
  }
}
