import { type DirectName, type ProtocolDefinition, type SentDirectOf } from "@holdfast/protocol";
import type { Connection } from "./connection.js";
import { type DeliveryReport, type DirectEvents, type SendOptions, targetOf } from "./direct.js";
import { checkCloseCode, checkId, DISCONNECTED, type Session } from "./session.js";
import type { Where } from "./endings.js";
import type { Sessions } from "./sessions.js";

/** A device that is connected. */
export interface Device {
  readonly id: string;
  /** The session it has. */
  readonly sessionId: string;
  /** When its session began. */
  readonly connectedAt: Date;
  /** When something was last heard from it. To the second. */
  readonly lastActiveAt: Date;
}

export interface SendToUserOptions extends SendOptions {
  /** Only to this device. Not connected, it is reported as failed. @default all of the user's devices */
  readonly onlyDevice?: string | undefined;
  /** To all devices but this one: mostly the one that caused the event. @default none is left out */
  readonly exceptDevice?: string | undefined;
}

/** What the handle needs of the server beyond sessions. */
export interface UserParts {
  readonly sessions: Sessions;
  readonly direct: DirectEvents;
  /** Asks `authorize` again for every channel of a connection. */
  reauthorize(connection: Connection): Promise<void>;
}

/**
 * A user and the devices that are connected. Costs nothing to make; holds no state. What asks or tells about devices is
 * asynchronous, because a device may be connected to another instance.
 */
export class UserHandle<P extends ProtocolDefinition, S extends Session> {
  readonly #parts: UserParts;

  constructor(
    readonly id: string,
    parts: UserParts,
  ) {
    checkId("user", id);
    this.#parts = parts;
  }

  /** The user's sessions that are connected to this process; with `away`, those that wait to be resumed as well. */
  sessions({ away = false }: { readonly away?: boolean } = {}): S[] {
    const sessions = this.#parts.sessions.ofUser(this.id).filter(({ isConnected }) => away || isConnected);
    return sessions as Session[] as S[];
  }

  /** The devices that are connected. */
  async devices(): Promise<Device[]> {
    return this.sessions().map(({ id, deviceId = id, connectedAt, lastActiveAt }) => ({
      id: deviceId,
      sessionId: id,
      connectedAt,
      lastActiveAt,
    }));
  }

  /** Whether a device is connected; without a device, whether any is. */
  async isConnected(deviceId?: string): Promise<boolean> {
    if (deviceId === undefined) return this.sessions().length > 0;
    return this.#parts.sessions.device(this.id, deviceId) !== undefined;
  }

  /**
   * Sends a direct event to the user's devices and says what became of it on each. A device that lost its connection just now
   * and may come back is reported as `not_connected`: it does not get the event later.
   * @throws HoldfastError INVALID_VALUE or LIMIT_EXCEEDED (rejects), naming the field
   */
  send<E extends DirectName<P>>(
    event: E,
    data: SentDirectOf<P, E>,
    options: SendToUserOptions = {},
  ): Promise<DeliveryReport> {
    const { onlyDevice, exceptDevice, ...rest } = options;
    const targets = this.#parts.sessions.ofUser(this.id).map(targetOf);
    const named = onlyDevice === undefined ? targets : targets.filter(({ deviceId }) => deviceId === onlyDevice);
    const meant =
      onlyDevice !== undefined && named.length === 0 ? [{ deviceId: onlyDevice, connection: undefined }] : named;
    const chosen = meant.filter(({ deviceId }) => deviceId !== exceptDevice);
    return this.#parts.direct.send(chosen, event, data, rest);
  }

  /**
   * Ends all sessions of the user, those that wait to be resumed included, or those for which `where` holds: mostly, of one
   * login. Resolves with how many. The default code stops the clients for good; whoever connects anew is judged by
   * `authenticate`, so end there first what must not come back.
   *
   * @throws HoldfastError INVALID_VALUE (rejects) when no close frame may carry the code
   */
  async disconnect(
    code = DISCONNECTED.code,
    reason = DISCONNECTED.reason,
    { where }: { readonly where?: (session: S) => boolean } = {},
  ): Promise<number> {
    checkCloseCode(code);
    return this.#parts.sessions.endUser(this.id, code, reason, where as unknown as Where | undefined);
  }

  /**
   * The user's permissions have changed: asks `authorize` again for every channel the user is on, and takes the connections
   * off those that are not granted any more, telling them why. Nothing else of the connection is touched.
   */
  async reauthorize(): Promise<void> {
    const { sessions, reauthorize } = this.#parts;
    await Promise.all(
      sessions.ofUser(this.id).flatMap(({ connection }) => (connection ? reauthorize(connection) : [])),
    );
  }
}
