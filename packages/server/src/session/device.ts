import type { Target } from "./direct.js";
import type { ClientSession } from "./client-session.js";

/** A connected device of a user. */
export interface Device {
  readonly id: string;
  /** The id of the device's session. */
  readonly sessionId: string;
  /** When the session began. */
  readonly connectedAt: Date;
  /** When the server last received anything from the device. Accurate to one second. */
  readonly lastActiveAt: Date;
}

/** The options that select which of a user's devices receive an event. */
export interface Choice {
  readonly onlyDevice: string | undefined;
  readonly exceptDevice: string | undefined;
}

/**
 * Returns the devices that an event is for. If `onlyDevice` is not connected, the result contains
 * the device without a connection, and the report lists it as failed.
 */
export function chosen(targets: readonly Target[], { onlyDevice, exceptDevice }: Choice): Target[] {
  const named = onlyDevice === undefined ? targets : targets.filter(({ deviceId }) => deviceId === onlyDevice);
  const meant =
    onlyDevice !== undefined && named.length === 0 ? [{ deviceId: onlyDevice, connection: undefined }] : named;
  return meant.filter(({ deviceId }) => deviceId !== exceptDevice);
}

/** Describes a session as a device. */
export function deviceOf({ id, deviceId = id, connectedAt, lastActiveAt }: ClientSession): Device {
  return { id: deviceId, sessionId: id, connectedAt, lastActiveAt };
}
