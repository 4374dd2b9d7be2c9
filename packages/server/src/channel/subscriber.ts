import type { Frame } from "../transport/frame.js";

/** All that a channel knows of its members. */
export interface Subscriber {
  /** Who it is; undefined where nobody is known, and then it is on no list of those present. */
  readonly userId: string | undefined;
  readonly deviceId: string | undefined;
  /** Takes over a frame to send. Never throws, never waits. */
  deliver(frame: Frame): void;
}
