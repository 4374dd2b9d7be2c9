import type { Playing } from "./protocol.js";
import { findTrack } from "./tracks.js";

/**
 * Who plays what: at most one device of each user. Not kept on disk: after a restart the device
 * that plays says so again. The position is the clock's, since the moment the device told it.
 */
export class Playback {
  readonly #monotonic: () => number;
  readonly #byUser = new Map<string, { deviceId: string; trackId: string; positionMs: number; at: number }>();

  /** `monotonic`: milliseconds since an arbitrary moment, never set back. */
  constructor(monotonic: () => number = () => performance.now()) {
    this.#monotonic = monotonic;
  }

  of(userId: string): Playing | undefined {
    const found = this.#byUser.get(userId);
    if (!found) return undefined;
    const { deviceId, trackId, positionMs, at } = found;
    const reached = positionMs + Math.round(this.#monotonic() - at);
    return { deviceId, trackId, positionMs: Math.min(reached, findTrack(trackId)?.lengthMs ?? 0) };
  }

  /** This device plays; whichever played before does not any more. */
  start(userId: string, { deviceId, trackId, positionMs }: Playing): void {
    this.#byUser.set(userId, { deviceId, trackId, positionMs, at: this.#monotonic() });
  }

  /**
   * This device does not play any more. Says whether it did: another one may have taken over
   * meanwhile.
   */
  stop(userId: string, deviceId: string): boolean {
    return this.#byUser.get(userId)?.deviceId === deviceId && this.#byUser.delete(userId);
  }
}
