import { HoldfastError } from "@holdfast/protocol";
import type { Identity } from "../auth/identity.js";
import type { Connection } from "./connection.js";

/**
 * A client, as the application sees it: who it is and since when. Its id is 128 random bits and confers no authority.
 * `I` is what `authenticate` returns.
 */
export interface Session<I = unknown, Parameters = unknown> {
  readonly id: string;
  /** What `authenticate` returned; it changes when the client refreshes its token. */
  readonly identity: I;
  readonly userId: string | undefined;
  readonly deviceId: string | undefined;
  /** The connection parameters, validated. */
  readonly parameters: Parameters;
  readonly remoteAddress: string;
  readonly connectedAt: Date;
  /** When something was last heard from it, a heartbeat included. To the second. */
  readonly lastActiveAt: Date;
  /** The channels it has joined, as the wire names them. */
  readonly subscriptions: readonly string[];
  /**
   * Ends its connection. The code says whether the client comes back: 4403 and 4900 to 4999 stop it, 4800 to 4899 make it
   * retry. @default 4403, "disconnected by the server"
   *
   * @throws HoldfastError INVALID_VALUE when no close frame may carry the code
   */
  disconnect(code?: number, reason?: string): void;
}

/** The session of a connection, made when the application first looks at it. */
export class ConnectionSession implements Session<Identity | undefined> {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get id(): string {
    return this.#connection.id;
  }

  get identity(): Identity | undefined {
    return this.#connection.identity;
  }

  get userId(): string | undefined {
    return this.#connection.identity?.userId;
  }

  get deviceId(): string | undefined {
    return this.#connection.deviceId;
  }

  get parameters(): unknown {
    return this.#connection.parameters;
  }

  get remoteAddress(): string {
    return this.#connection.request.remoteAddress;
  }

  get connectedAt(): Date {
    return new Date(this.#connection.connectedAt);
  }

  get lastActiveAt(): Date {
    return new Date(this.#connection.lastHeardAt);
  }

  get subscriptions(): readonly string[] {
    return this.#connection.membership?.channels() ?? [];
  }

  disconnect(code = 4403, reason = "disconnected by the server"): void {
    // The socket would refuse it too, but only once the connection had left everything, and would then stay for ever.
    if (!isCloseCode(code))
      throw new HoldfastError("INVALID_VALUE", `disconnect: ${code} is not a close code that may be sent.`, {
        field: "code",
      });
    this.#connection.close(code, reason);
  }
}

/** RFC 6455, section 7.4, and the registry: 1004 is reserved, 1005 and 1006 are what is read where no code was sent. */
function isCloseCode(code: number): boolean {
  return (
    Number.isInteger(code) && ((code >= 3000 && code <= 4999) || (code >= 1000 && code <= 1014 && !unsent.has(code)))
  );
}
const unsent: ReadonlySet<number> = new Set([1004, 1005, 1006]);
