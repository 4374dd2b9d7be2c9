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
   * Only to this device. Not connected, it is reported as failed. @default all of the user's
   * devices
   */
  readonly onlyDevice?: string | undefined;
  /**
   * To all devices but this one: mostly the one that caused the event. @default none is left out
   */
  readonly exceptDevice?: string | undefined;
}

/** Which sessions of a user end, and how. `S` is the session, as `server.sessions()` lists it. */
export interface DisconnectUserOptions<S extends Session = Session> extends DisconnectOptions {
  /**
   * Only the sessions whose identity has all of this, such as `{ claims: { login } }`. If this is
   * the only instance, also a function that returns true for them.
   * @default all sessions of the user
   */
  readonly where?: ((session: S) => boolean) | PartOf<S["identity"]> | undefined;
}

/**
 * A user and the connected devices of the user. A handle costs nothing to make and holds no state.
 * Its calls about devices are asynchronous, because a device may be connected to another instance.
 */
export interface UserHandle<P extends ProtocolDefinition, S extends Session> {
  readonly id: string;
  /**
   * The user's sessions that are connected to this process. With `away`, also the sessions that
   * wait to be resumed.
   */
  sessions(options?: { readonly away?: boolean }): S[];
  /**
   * The devices that are connected to any instance. If the instance of a device does not answer,
   * the device's `lastActiveAt` is the time when it connected.
   * @throws HoldfastError UNAVAILABLE (rejects) if the broker cannot be reached
   */
  devices(): Promise<Device[]>;
  /**
   * Whether the device is connected to any instance. Without `deviceId`: whether any device of the
   * user is.
   * @throws HoldfastError UNAVAILABLE (rejects) if no such device is connected here and the broker
   *   cannot be reached
   */
  isConnected(deviceId?: string): Promise<boolean>;
  /**
   * Sends a direct event to the user's devices on all instances and reports the result for each
   * device. If a device has lost its connection and may come back, it is reported as
   * `not_connected` and does not get the event later. If an instance does not answer, its devices
   * are reported as `timeout`.
   * @throws HoldfastError (rejects) INVALID_VALUE, LIMIT_EXCEEDED or INVALID_OPTION, naming the
   *   field; UNAVAILABLE if the broker cannot be reached, and then nothing was delivered
   */
  send<E extends DirectName<P>>(
    event: E,
    data: SentDirectOf<P, E>,
    options?: SendToUserOptions,
  ): Promise<DeliveryReport>;
  /**
   * Ends all sessions of the user on all instances, also the sessions that wait to be resumed. With
   * `where`, only the sessions that meet it, such as those of one login. Resolves with the number
   * of sessions when all instances have answered, or after a second. If the broker's announcements
   * do not reach an instance, it ends its sessions within 20 s. The default code stops the clients
   * for good. `authenticate` decides about every new connection, so withdraw the credential there
   * first.
   *
   * @throws HoldfastError (rejects) INVALID_OPTION, naming the option, and then nothing has ended;
   *   UNAVAILABLE if the broker cannot be reached: the call took effect on this instance only, so
   *   repeat it
   */
  disconnect(options?: DisconnectUserOptions<S>): Promise<number>;
  /**
   * Call it if the user's permissions have changed. `authorize` is asked again for every channel
   * that the user is on, on all instances. If the answer is no, the connection leaves the channel
   * and its client is told why; the connection itself stays. Resolves when this instance is done
   * and the others are done too, or a second has passed.
   * @throws HoldfastError UNAVAILABLE (rejects) if the broker cannot be reached: the call took
   *   effect on this instance only
   */
  reauthorize(): Promise<void>;
}

/** What the handles of users and sessions need of the server. */
export interface HandleParts {
  readonly sessions: Sessions;
  readonly direct: DirectEvents;
  /** The other instances; undefined: there can be none. */
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
      // Anything else that is falsy must not mean all sessions.
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
  return optionError("disconnect", "where", "a function cannot be asked on other instances", PATTERN);
}

/**
 * Anything but a device id would choose nothing, and the event would reach the device that it must
 * not reach.
 */
function checkDevice(option: "onlyDevice" | "exceptDevice", id: unknown): void {
  if (id === undefined || typeof id === "string") return;
  throw optionError("send", option, `expected a device id, received ${kindOf(id)}`, "Pass a string, or leave it out.");
}
