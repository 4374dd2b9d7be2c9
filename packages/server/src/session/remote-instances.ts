import type { Choice, Device } from "./device.js";
import type { DeliveryReport, Prepared } from "./direct.js";
import type { SessionFilter } from "./recent-disconnects.js";

/**
 * What the handles of users and sessions can do on all instances. A server without a broker of its
 * own has none of it. All reject with UNAVAILABLE while the broker cannot be reached.
 */
export interface RemoteInstances {
  /**
   * How many sessions have ended, here and elsewhere. `pattern`: what `where` was made of, for
   * those it has to travel to.
   */
  endUser(
    userId: string,
    code: number,
    reason: string,
    where: SessionFilter | undefined,
    pattern?: object,
  ): Promise<number>;
  endSession(id: string, code: number, reason: string): Promise<boolean>;
  /** Asks `authorize` again for every channel of the user. */
  reauthorize(userId: string): Promise<void>;
  /** Whether there is no other instance. */
  isAlone(): Promise<boolean>;
  readonly users: RemoteUsers;
}

/**
 * The devices of users on all instances. All reject with UNAVAILABLE while the broker cannot be
 * reached.
 */
export interface RemoteUsers {
  devices(userId: string): Promise<Device[]>;
  isConnected(userId: string, deviceId: string | undefined): Promise<boolean>;
  sendToUser(userId: string, choice: Choice, prepared: Prepared): Promise<DeliveryReport>;
  /** To a session that is not here. */
  sendToSession(id: string, prepared: Prepared): Promise<DeliveryReport>;
}
