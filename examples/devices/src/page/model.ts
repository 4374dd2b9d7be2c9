import type { Client } from "@holdfast/client";
import type { Device, devices, Outcome, Overview } from "../protocol.js";
import type { OwnDevice } from "./own-device.js";
import type { Player } from "./player.js";

export type DevicesClient = Client<typeof devices.definition>;

/** A command to other devices, and its result on each. */
export interface Delivery {
  readonly title: string;
  /** Absent until the answer has arrived. */
  readonly report?: readonly Outcome[];
}

/** The page's whole state. Views read it. The app changes it and draws again. */
export interface Model {
  readonly own: OwnDevice;
  readonly player: Player;
  /**
   * The server's list. Absent until the list has been loaded once. `overviewAt` is the time of
   * arrival, by `now`.
   */
  overview?: Overview;
  overviewAt: number;
  live: boolean;
  /** The reason for the pause, if another device caused it. */
  note?: string | undefined;
  delivery?: Delivery | undefined;
}

/** The actions of the user. */
export interface Actions {
  /** Plays on this device. By default, the current track continues at the current position. */
  play(trackId?: string, positionMs?: number): void;
  pause(): void;
  seek(positionMs: number): void;
  rename(name: string): void;
  pauseOn(device: Device): void;
  playOn(device: Device): void;
  signOut(device: Device): void;
}

export const now = (): number => performance.now();

/**
 * The track and the position on a device: the position in the list, plus the time since the list
 * arrived. Undefined if the device does not play.
 */
export function playingOn(model: Model, deviceId: string): { trackId: string; positionMs: number } | undefined {
  const playing = model.overview?.playing;
  if (playing?.deviceId !== deviceId) return undefined;
  return { trackId: playing.trackId, positionMs: playing.positionMs + Math.round(now() - model.overviewAt) };
}

export function nameOf(model: Model, deviceId: string): string {
  return model.overview?.devices.find(({ id }) => id === deviceId)?.name ?? "another device";
}
