import type { Playing } from "./protocol.js";
import { findTrack } from "./tracks.js";

/**
 * Stores which device of each user plays, and which track. At most one device per user plays. The
 * state is not stored on disk, because after a restart the playing device claims playback again.
 * The position advances with the clock since the device's last report.
 */
export class Playback {
  readonly #monotonic: () => number;
  readonly #byUser = new Map<string, { deviceId: string; trackId: string; positionMs: number; at: number }>();

  /** `monotonic` returns milliseconds since an arbitrary time, and never goes back. */
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

  /** Marks this device as playing, and the user's previous device as paused. */
  start(userId: string, { deviceId, trackId, positionMs }: Playing): void {
    this.#byUser.set(userId, { deviceId, trackId, positionMs, at: this.#monotonic() });
  }

  /**
   * Marks this device as paused. Returns false if the device was not playing, for example because
   * another device has taken over meanwhile.
   */
  stop(userId: string, deviceId: string): boolean {
    return this.#byUser.get(userId)?.deviceId === deviceId && this.#byUser.delete(userId);
  }
}
