import { HoldfastError } from "@holdfast/protocol";
import type { DisconnectOptions } from "./disconnect-options.js";
import type { Identity } from "./identity.js";

/**
 * A client, as the application sees it: who it is, since when, and what the application keeps of
 * it. It outlives its connection: a client that comes back within `sessionResumeMs`, as the same
 * user, continues it. Its id is 128 random bits and confers no authority. `I` is what
 * `authenticate` returns, `Data` what `sessionData` does.
 */
export interface Session<I = unknown, Parameters = unknown, Data = unknown> {
  /** Where no device was named it is the device's id as well, which other users may see. */
  readonly id: string;
  /** What `authenticate` returned; it changes when the client refreshes its token. */
  readonly identity: I;
  readonly userId: string | undefined;
  /**
   * The user's device: what `authenticate` or the client named, or else the session's own id.
   * Undefined without a user.
   */
  readonly deviceId: string | undefined;
  /** The connection parameters, validated. */
  readonly parameters: Parameters;
  /**
   * What the client says of itself when it connects: the `metadata` of its `auth` message. Claims,
   * not facts; at most 4 KiB.
   */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The application's own, made by `sessionData`; what it puts in stays through reconnects. */
  readonly data: Data;
  readonly remoteAddress: string;
  /** When the session began. */
  readonly connectedAt: Date;
  /** When something was last heard from it, a heartbeat included. To the second. */
  readonly lastActiveAt: Date;
  /** Whether it has a connection at present; without one it waits to be resumed, or has ended. */
  readonly isConnected: boolean;
  /** The channels it has joined, as the wire names them. */
  readonly subscriptions: readonly string[];
  /**
   * Ends the session and its connection, on this instance; `server.session(id).disconnect` does so
   * on any instance. By default the client stops and does not come back.
   *
   * @throws HoldfastError INVALID_OPTION, naming the option
   */
  disconnect(options?: DisconnectOptions): void;
}

/** A session whose identity changes when its client sends a newer credential. */
export interface RenewableSession extends Session<Identity | undefined> {
  identity: Identity | undefined;
}

/**
 * Why a session ended:
 * - `expired`: nobody came back to it in time
 * - `replaced`: a newer connection of the same device took its place
 * - `moved`: its client has come back on another instance, as a new session there
 * - `evicted`: the user had as many devices as allowed, and one had to leave
 * - `disconnected`: the server ended it
 */
export type SessionEnd = "expired" | "replaced" | "moved" | "evicted" | "disconnected";

/**
 * Something that happened to a session:
 * - `opened`: a client has connected
 * - `resumed`: it has come back on a new connection, perhaps before the old one was known to be
 *   dead
 * - `dropped`: its connection has ended, and it may still come back
 * - `ended`: for good
 */
export type SessionEvent<I = unknown, Parameters = unknown, Data = unknown> = {
  readonly session: Session<I, Parameters, Data>;
} & ({ readonly type: "opened" | "resumed" | "dropped" } | { readonly type: "ended"; readonly reason: SessionEnd });

/** What a client says of itself when it connects. Claims: the credential alone says who it is. */
export interface Introduction {
  readonly deviceId?: string | undefined;
  /** The session it would like to continue. */
  readonly sessionId?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** A ban that names nobody must not look like one. @throws HoldfastError INVALID_VALUE */
export function checkId(of: "user" | "session", id: string): void {
  if (typeof id === "string" && id !== "") return;
  throw new HoldfastError("INVALID_VALUE", `${of}: expected the id of a ${of}, a text that is not empty.`, {
    field: "id",
  });
}
