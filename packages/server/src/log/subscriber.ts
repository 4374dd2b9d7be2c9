import type { Frame } from "../transport/frame.js";

/** All that a channel knows of its members. */
export interface Subscriber {
  /** Who it is; undefined where nobody is known, and then it is on no list of those present. */
  readonly userId: string | undefined;
  readonly deviceId: string | undefined;
  /** Whether it is owed so much that what can be made up for later should wait. */
  readonly isBehind: boolean;
  /** Takes over a frame to send. Never throws, never waits. */
  deliver(frame: Frame): void;
  /** The channel has ended: it is off it, without having asked. */
  dismiss(wire: string): void;
}
