import type { Target } from "./direct.js";
import type { ClientSession } from "./client-session.js";

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

/** Which devices of a user an event is for. */
export interface Choice {
  readonly onlyDevice: string | undefined;
  readonly exceptDevice: string | undefined;
}

/** Those of a user's devices that an event is for. */
export function chosen(targets: readonly Target[], { onlyDevice, exceptDevice }: Choice): Target[] {
  const named = onlyDevice === undefined ? targets : targets.filter(({ deviceId }) => deviceId === onlyDevice);
  const meant =
    onlyDevice !== undefined && named.length === 0 ? [{ deviceId: onlyDevice, connection: undefined }] : named;
  return meant.filter(({ deviceId }) => deviceId !== exceptDevice);
}

/** A session as the device that it is. */
export function deviceOf({ id, deviceId = id, connectedAt, lastActiveAt }: ClientSession): Device {
  return { id: deviceId, sessionId: id, connectedAt, lastActiveAt };
}
