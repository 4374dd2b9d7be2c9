import type { DirectName, HoldfastError, ProtocolDefinition, SentDirectOf } from "@holdfast/protocol";
import { checkOptions, kindOf, optionError } from "../call-options.js";
import type { Unawaited } from "../observe/unawaited.js";
import { chosen, type Device, deviceOf } from "./device.js";
import { type DeliveryReport, type DirectEvents, type SendOptions, targetOf } from "./direct.js";
import type { Reauthorizer } from "./reauthorizer.js";
import type { RemoteInstances } from "./remote-instances.js";
import type { SessionFilter } from "./recent-disconnects.js";
import { type DisconnectOptions, endingCalls, endingOptions } from "./disconnect-options.js";
import { checkId, type Session } from "./session.js";
import type { Sessions } from "./sessions.js";
import { matching, type PartOf, PATTERN } from "./session-filter.js";

export interface SendToUserOptions extends SendOptions {
  /**
   * Sends to this device only. If the device is not connected, the report lists it as failed.
   * @default all devices of the user
   */
  readonly onlyDevice?: string | undefined;
  /**
   * Sends to all devices except this one, which is usually the device that caused the event.
   * @default no device is left out
   */
  readonly exceptDevice?: string | undefined;
}

/** Which sessions of a user end, and how. `S` is the session type of `server.sessions()`. */
export interface DisconnectUserOptions<S extends Session = Session> extends DisconnectOptions {
  /**
   * Ends only the sessions whose identity contains this pattern, such as `{ claims: { login } }`.
   * If the server has no other instance, you can pass a function that returns true for the sessions
   * to end.
   * @default all sessions of the user
   */
  readonly where?: ((session: S) => boolean) | PartOf<S["identity"]> | undefined;
}

/**
 * A user and the user's connected devices. Creating a handle costs nothing, and a handle holds no
 * state. Calls about devices are asynchronous, because a device may be connected to another
 * instance.
 */
export interface UserHandle<P extends ProtocolDefinition, S extends Session> {
  readonly id: string;
  /**
   * The user's sessions that are connected to this process. With `away: true`, the sessions that
   * wait here to be resumed are included. @default connected sessions only
   */
  sessions(options?: { readonly away?: boolean }): S[];
  /**
   * The user's devices that are connected to any instance. If the instance of a device does not
   * answer within one second, the device's `lastActiveAt` is the time of the connection.
   * @throws HoldfastError UNAVAILABLE (rejects) if the broker cannot be reached
   */
  devices(): Promise<Device[]>;
  /**
   * True if the device is connected to any instance. Without `deviceId`, true if any device of the
   * user is connected.
   * @throws HoldfastError UNAVAILABLE (rejects) if no such device is connected to this instance and
   *   the broker cannot be reached
   */
  isConnected(deviceId?: string): Promise<boolean>;
  /**
   * Sends a direct event to the user's devices on all instances and reports the result for each
   * device. If a device has lost its connection and may still return, the device is reported as
   * `not_connected` and does not receive the event later. If an instance does not answer, the
   * devices on that instance are reported as `timeout`.
   * @throws HoldfastError (rejects) INVALID_VALUE, LIMIT_EXCEEDED or INVALID_OPTION, naming the
   *   field; UNAVAILABLE if the broker cannot be reached, and then no device received the event
   */
  send<E extends DirectName<P>>(
    event: E,
    data: SentDirectOf<P, E>,
    options?: SendToUserOptions,
  ): Promise<DeliveryReport>;
  /**
   * Ends all sessions of the user on all instances, including those that wait to be resumed. With
   * `where`, only the matching sessions end, such as those of one login. Resolves with the number
   * of ended sessions when all instances have answered, or after one second. If an announcement
   * does not reach an instance, that instance ends the user's sessions within 20 s. With the
   * default close code, the clients do not reconnect by themselves. A client can still connect
   * again with a valid credential, so withdraw the credential in `authenticate` first.
   *
   * @throws HoldfastError (rejects) INVALID_OPTION, naming the option, and then no session has
   *   ended; UNAVAILABLE if the broker cannot be reached. The call has then taken effect on this
   *   instance only, so repeat the call.
   */
  disconnect(options?: DisconnectUserOptions<S>): Promise<number>;
  /**
   * Checks the user's permissions again. Call this method after the permissions have changed. The
   * server calls `authorize` for every channel that the user has joined, on all instances. If the
   * answer is no, the connection leaves the channel, the client is told the reason, and the
   * connection stays open. Resolves when this instance and the others have finished, or after one
   * second for the others.
   * @throws HoldfastError UNAVAILABLE (rejects) if the broker cannot be reached. The call has then
   *   taken effect on this instance only.
   */
  reauthorize(): Promise<void>;
}

/** The parts of the server that the handles of users and sessions use. */
export interface HandleParts {
  readonly sessions: Sessions;
  readonly direct: DirectEvents;
  /** The other instances; undefined if there can be none. */
  readonly elsewhere: RemoteInstances | undefined;
  readonly permissions: Reauthorizer;
  readonly unawaited: Unawaited;
}

export class ServerUserHandle<P extends ProtocolDefinition, S extends Session> implements UserHandle<P, S> {
  readonly #parts: HandleParts;

  constructor(
    readonly id: string,
    parts: HandleParts,
  ) {
    checkId("user", id);
    this.#parts = parts;
  }

  sessions({ away = false }: { readonly away?: boolean } = {}): S[] {
    const sessions = this.#parts.sessions.ofUser(this.id).filter(({ isConnected }) => away || isConnected);
    return sessions as Session[] as S[];
  }

  devices(): Promise<Device[]> {
    const { sessions, elsewhere, unawaited } = this.#parts;
    const here = async (): Promise<Device[]> => sessions.ofUser(this.id).filter(isConnected).map(deviceOf);
    return unawaited("devices", { user: this.id }, elsewhere ? elsewhere.users.devices(this.id) : here());
  }

  isConnected(deviceId?: string): Promise<boolean> {
    return this.#parts.unawaited("isConnected", { user: this.id }, this.#isConnected(deviceId));
  }

  async #isConnected(deviceId: string | undefined): Promise<boolean> {
    const { sessions, elsewhere } = this.#parts;
    const isHere =
      deviceId === undefined
        ? sessions.ofUser(this.id).some(isConnected)
        : sessions.device(this.id, deviceId)?.isConnected === true;
    return isHere || (await elsewhere?.users.isConnected(this.id, deviceId)) === true;
  }

  send<E extends DirectName<P>>(
    event: E,
    data: SentDirectOf<P, E>,
    options: SendToUserOptions = {},
  ): Promise<DeliveryReport> {
    return this.#parts.unawaited("send", { user: this.id, event }, this.#send(event, data, options));
  }

  async #send(event: string, data: unknown, options: SendToUserOptions): Promise<DeliveryReport> {
    const { sessions, direct, elsewhere } = this.#parts;
    checkOptions("send", options, ["ack", "timeoutMs", "onlyDevice", "exceptDevice"]);
    const { onlyDevice, exceptDevice, ...rest } = options;
    checkDevice("onlyDevice", onlyDevice);
    checkDevice("exceptDevice", exceptDevice);
    const choice = { onlyDevice, exceptDevice };
    const prepared = direct.prepare(event, data, rest);
    if (elsewhere) return elsewhere.users.sendToUser(this.id, choice, prepared);
    return direct.deliver(chosen(sessions.ofUser(this.id).map(targetOf), choice), prepared);
  }

  disconnect(...given: unknown[]): Promise<number> {
    return this.#parts.unawaited("disconnect", { user: this.id }, this.#disconnect(given));
  }

  async #disconnect(given: readonly unknown[]): Promise<number> {
    const { code, reason, where } = endingOptions(endingCalls.user, given);
    const { sessions, elsewhere } = this.#parts;
    if (typeof where !== "function") {
      // Only `undefined` selects all sessions; `matching` refuses any other falsy value.
      const meant = where === undefined ? undefined : matching(where);
      if (elsewhere) return elsewhere.endUser(this.id, code, reason, meant, where as object | undefined);
      return sessions.endUser(this.id, code, reason, meant);
    }
    const meant = where as SessionFilter;
    if (!elsewhere) return sessions.endUser(this.id, code, reason, meant);
    const isAlone = await elsewhere.isAlone().catch((error: unknown) => {
      sessions.endUser(this.id, code, reason, meant);
      throw error;
    });
    if (!isAlone) throw cannotTravel();
    return sessions.endUser(this.id, code, reason, meant);
  }

  reauthorize(): Promise<void> {
    return this.#parts.unawaited("reauthorize", { user: this.id }, this.#reauthorize());
  }

  async #reauthorize(): Promise<void> {
    const { sessions, elsewhere, permissions } = this.#parts;
    const asked = sessions
      .ofUser(this.id)
      .flatMap(({ connection }) => (connection ? permissions.reauthorize(connection) : []));
    await Promise.all([...asked, elsewhere?.reauthorize(this.id)]);
  }
}

const isConnected = (session: Session): boolean => session.isConnected;

function cannotTravel(): HoldfastError {
  return optionError("disconnect", "where", "a function cannot be sent to other instances", PATTERN);
}

/**
 * A value that is not a device id would match no device. With `exceptDevice`, the event would then
 * reach the device that must not receive it.
 */
function checkDevice(option: "onlyDevice" | "exceptDevice", id: unknown): void {
  if (id === undefined || typeof id === "string") return;
  throw optionError(
    "send",
    option,
    `expected a device id, received ${kindOf(id)}`,
    "Pass a string, or omit the option.",
  );
}
