import type { Client } from "@holdfast/client";
import type { Device, devices, Outcome, Overview } from "../protocol.js";
import type { OwnDevice } from "./own-device.js";
import type { Player } from "./player.js";

export type DevicesClient = Client<typeof devices.definition>;

/** What was asked of other devices, and what became of it on each. */
export interface Delivery {
  readonly title: string;
  /** Absent while they are being asked. */
  readonly report?: readonly Outcome[];
}

/** All the page shows. Views read it, the app changes it and draws again. */
export interface Model {
  readonly own: OwnDevice;
  readonly player: Player;
  /** The server's list, and when it came. Absent until it has been loaded once. */
  overview?: Overview;
  overviewAt: number;
  live: boolean;
  /** Why this player is paused, where somebody else is the reason. */
  note?: string | undefined;
  delivery?: Delivery | undefined;
}

/** What people do. */
export interface Actions {
  /** Plays here, from where it is or from somewhere else. */
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
 * What plays on a device and how far it is by now: the list said how far it was, and this page's
 * clock ran on.
 */
export function playingOn(model: Model, deviceId: string): { trackId: string; positionMs: number } | undefined {
  const playing = model.overview?.playing;
  if (playing?.deviceId !== deviceId) return undefined;
  return { trackId: playing.trackId, positionMs: playing.positionMs + Math.round(now() - model.overviewAt) };
}

export function nameOf(model: Model, deviceId: string): string {
  return model.overview?.devices.find(({ id }) => id === deviceId)?.name ?? "another device";
}
