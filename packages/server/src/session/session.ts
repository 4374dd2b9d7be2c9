import { HoldfastError } from "@holdfast/protocol";
import type { DisconnectOptions } from "./disconnect-options.js";
import type { Identity } from "./identity.js";

/**
 * A client's session as the application sees it: the user, the device and the application's own
 * data. A session survives reconnects: a client that returns to the same instance within
 * `sessionResumeMs`, as the same user and on the same device, resumes the session. The id is 128
 * random bits and grants no access by itself. `I` is the type that `authenticate` returns, `Data`
 * the type that `sessionData` returns.
 */
export interface Session<I = unknown, Parameters = unknown, Data = unknown> {
  /** If no device was named, this is also the device id, which other users may see. */
  readonly id: string;
  /** The identity that `authenticate` returned. Changes when the client sends a new token. */
  readonly identity: I;
  readonly userId: string | undefined;
  /**
   * The user's device: the id that `authenticate` or the client named, otherwise the session's own
   * id. Undefined if the session has no user.
   */
  readonly deviceId: string | undefined;
  /** The validated connection parameters. */
  readonly parameters: Parameters;
  /**
   * The `metadata` of the client's `auth` message, at most 4,096 characters of JSON; empty if the
   * client sent none. The client can claim anything here.
   */
  readonly metadata: Readonly<Record<string, unknown>>;
  /**
   * The value that `sessionData` returned for this session. Your changes to this value survive
   * reconnects.
   */
  readonly data: Data;
  readonly remoteAddress: string;
  /** When the session began. */
  readonly connectedAt: Date;
  /**
   * When the server last received anything from the client, heartbeats included. Accurate to one
   * second.
   */
  readonly lastActiveAt: Date;
  /**
   * True if the session has a connection. If false, the session waits to be resumed or has ended.
   */
  readonly isConnected: boolean;
  /** The names of the joined channels, as sent on the wire. */
  readonly subscriptions: readonly string[];
  /**
   * Ends the session and closes the connection, on this instance only;
   * `server.session(id).disconnect` works on any instance. By default, the client stops and does
   * not reconnect.
   *
   * @throws HoldfastError INVALID_OPTION, naming the option
   */
  disconnect(options?: DisconnectOptions): void;
}

/** A session whose identity changes when the client sends a new credential. */
export interface RenewableSession extends Session<Identity | undefined> {
  identity: Identity | undefined;
}

/**
 * Why a session ended:
 * - `expired`: the connection closed and no client resumed the session in time, or the session
 *   cannot be resumed because it has no user, `sessionResumeMs` is 0 or the server is closing
 * - `replaced`: a newer connection of the same device replaced the session
 * - `moved`: the client reconnected to another instance and has a new session there
 * - `evicted`: the user had too many devices, and this session had to leave
 * - `disconnected`: the server ended the session
 */
export type SessionEnd = "expired" | "replaced" | "moved" | "evicted" | "disconnected";

/**
 * A change of a session:
 * - `opened`: a client connected and began the session
 * - `resumed`: the client returned on a new connection, perhaps before the server noticed that the
 *   old connection was dead
 * - `dropped`: the connection closed, and the client may still return
 * - `ended`: the session is over
 */
export type SessionEvent<I = unknown, Parameters = unknown, Data = unknown> = {
  readonly session: Session<I, Parameters, Data>;
} & ({ readonly type: "opened" | "resumed" | "dropped" } | { readonly type: "ended"; readonly reason: SessionEnd });

/**
 * The values that a client sends about itself in `auth`. All are claims: only the credential proves
 * who the user is.
 */
export interface Introduction {
  readonly deviceId?: string | undefined;
  /** The session that the client wants to resume. */
  readonly sessionId?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Checks an id before a call that may end sessions: an empty id would end no session, and the
 * application would believe that the ban had worked.
 * @throws HoldfastError INVALID_VALUE, naming the field `id`
 */
export function checkId(of: "user" | "session", id: string): void {
  if (typeof id === "string" && id !== "") return;
  throw new HoldfastError("INVALID_VALUE", `${of}: expected the id of a ${of} as a non-empty string.`, {
    field: "id",
  });
}
