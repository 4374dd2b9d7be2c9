import { closeNumber, type DirectName, type ProtocolDefinition, type SentDirectOf } from "@holdfast/protocol";
import { type DeliveryReport, type DirectEvents, type SendOptions, targetOf } from "./direct.js";
import { checkCloseCode, checkId, DISCONNECTED, type Session } from "./session.js";
import type { Sessions } from "./sessions.js";

/** A session by its id, whether it exists or not. Costs nothing to make; holds no state. */
export class SessionHandle<P extends ProtocolDefinition, S extends Session> {
  readonly #sessions: Sessions;
  readonly #direct: DirectEvents;

  constructor(
    readonly id: string,
    sessions: Sessions,
    direct: DirectEvents,
  ) {
    checkId("session", id);
    this.#sessions = sessions;
    this.#direct = direct;
  }

  /** The session, as long as it is connected to this process or can still be resumed. */
  get(): S | undefined {
    return this.#sessions.get(this.id) as Session as S | undefined;
  }

  /**
   * Sends a direct event to this session alone. A session that does not exist is reported as `not_connected`.
   * @throws HoldfastError INVALID_VALUE or LIMIT_EXCEEDED (rejects), naming the field
   */
  send<E extends DirectName<P>>(
    event: E,
    data: SentDirectOf<P, E>,
    options: SendOptions = {},
  ): Promise<DeliveryReport> {
    const session = this.#sessions.get(this.id);
    const target = session ? targetOf(session) : { deviceId: this.id, connection: undefined };
    return this.#direct.send([target], event, data, options);
  }

  /** Ends it for good, connected or waiting; says whether there was one. See `Session.disconnect`. */
  async disconnect(code = DISCONNECTED.code, reason = DISCONNECTED.reason): Promise<boolean> {
    checkCloseCode(code);
    const session = this.#sessions.get(this.id);
    if (session) this.#sessions.end(session, code, reason);
    return session !== undefined;
  }

  /**
   * Takes the session back: its connection is closed with 4401 and its id continues nothing any more. The client may come
   * back only with a credential that `authenticate` accepts, so withdraw that one first.
   */
  revoke(reason = "the session was revoked"): Promise<boolean> {
    return this.disconnect(closeNumber.UNAUTHENTICATED, reason);
  }
}
