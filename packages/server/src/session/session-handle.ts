import type { DirectName, ProtocolDefinition, SentDirectOf } from "@holdfast/protocol";
import { type DeliveryReport, type SendOptions, targetOf } from "./direct.js";
import { type DisconnectOptions, endingCalls, endingOptions } from "./disconnect-options.js";
import { checkId, type Session } from "./session.js";
import type { HandleParts } from "./user-handle.js";

export interface RevokeOptions {
  /**
   * The reason that the client receives. A close frame carries its first 123 bytes.
   * @default "the session was revoked"
   */
  readonly reason?: string | undefined;
}

/**
 * A session by its id, whether the session exists or not. Creating a handle costs nothing, and a
 * handle holds no state.
 */
export interface SessionHandle<P extends ProtocolDefinition, S extends Session> {
  readonly id: string;
  /**
   * The session, if it is connected to this process or waits here to be resumed. Otherwise
   * undefined.
   */
  get(): S | undefined;
  /**
   * Sends a direct event to this session only, on any instance. If the session does not exist, the
   * report lists it as `not_connected`.
   * @throws HoldfastError (rejects) INVALID_VALUE, LIMIT_EXCEEDED or INVALID_OPTION, naming the
   *   field; UNAVAILABLE if the session is not on this instance and the broker cannot be reached
   */
  send<E extends DirectName<P>>(event: E, data: SentDirectOf<P, E>, options?: SendOptions): Promise<DeliveryReport>;
  /**
   * Ends the session permanently, on any instance, even if the session waits to be resumed.
   * Resolves with true if the session existed.
   * @throws HoldfastError (rejects) INVALID_OPTION, naming the option; UNAVAILABLE if the broker
   *   cannot be reached. The call has then taken effect on this instance only, so repeat the call.
   */
  disconnect(options?: DisconnectOptions): Promise<boolean>;
  /**
   * Revokes the session: the connection is closed with 4401, and no client can resume it. The
   * client can reconnect only with a credential that `authenticate` accepts, so withdraw the old
   * credential first. Apart from the code, the call works like `disconnect`.
   */
  revoke(options?: RevokeOptions): Promise<boolean>;
}

export class ServerSessionHandle<P extends ProtocolDefinition, S extends Session> implements SessionHandle<P, S> {
  readonly #parts: HandleParts;

  constructor(
    readonly id: string,
    parts: HandleParts,
  ) {
    checkId("session", id);
    this.#parts = parts;
  }

  get(): S | undefined {
    return this.#parts.sessions.get(this.id) as Session as S | undefined;
  }

  send<E extends DirectName<P>>(
    event: E,
    data: SentDirectOf<P, E>,
    options: SendOptions = {},
  ): Promise<DeliveryReport> {
    return this.#parts.unawaited("send", { session: this.id, event }, this.#send(event, data, options));
  }

  async #send(event: string, data: unknown, options: SendOptions): Promise<DeliveryReport> {
    const { sessions, direct, elsewhere } = this.#parts;
    const prepared = direct.prepare(event, data, options);
    const session = sessions.get(this.id);
    if (session) return direct.deliver([targetOf(session)], prepared);
    if (elsewhere) return elsewhere.users.sendToSession(this.id, prepared);
    return direct.deliver([{ deviceId: this.id, connection: undefined }], prepared);
  }

  disconnect(...given: unknown[]): Promise<boolean> {
    return this.#parts.unawaited("disconnect", { session: this.id }, this.#end("session", given));
  }

  revoke(...given: unknown[]): Promise<boolean> {
    return this.#parts.unawaited("revoke", { session: this.id }, this.#end("revoke", given));
  }

  async #end(call: "session" | "revoke", given: readonly unknown[]): Promise<boolean> {
    const { code, reason } = endingOptions(endingCalls[call], given);
    const { sessions, elsewhere } = this.#parts;
    return elsewhere ? elsewhere.endSession(this.id, code, reason) : sessions.end(this.id, code, reason);
  }
}
