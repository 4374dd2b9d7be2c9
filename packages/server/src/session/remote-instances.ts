import type { Choice, Device } from "./device.js";
import type { DeliveryReport, Prepared } from "./direct.js";
import type { SessionFilter } from "./recent-disconnects.js";

/**
 * What the handles of users and sessions can do on all instances. A server without a broker has no
 * implementation. All methods reject with UNAVAILABLE while the broker cannot be reached.
 */
export interface RemoteInstances {
  /**
   * Ends sessions of a user on all instances and resolves with their number. `pattern` is the
   * serialisable form of `where` for the other instances.
   */
  endUser(
    userId: string,
    code: number,
    reason: string,
    where: SessionFilter | undefined,
    pattern?: object,
  ): Promise<number>;
  endSession(id: string, code: number, reason: string): Promise<boolean>;
  /** Calls `authorize` again for every channel of the user. */
  reauthorize(userId: string): Promise<void>;
  /** True if there is no other instance. */
  isAlone(): Promise<boolean>;
  readonly users: RemoteUsers;
}

/**
 * The devices of users on all instances. All methods reject with UNAVAILABLE while the broker
 * cannot be reached.
 */
export interface RemoteUsers {
  devices(userId: string): Promise<Device[]>;
  isConnected(userId: string, deviceId: string | undefined): Promise<boolean>;
  sendToUser(userId: string, choice: Choice, prepared: Prepared): Promise<DeliveryReport>;
  /** Sends to a session that this instance does not have. */
  sendToSession(id: string, prepared: Prepared): Promise<DeliveryReport>;
}
