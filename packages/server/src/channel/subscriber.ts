import type { Frame } from "../transport/frame.js";

/** All that a channel knows of its members. */
export interface Subscriber {
  /** Takes over a frame to send. Never throws, never waits. */
  deliver(frame: Frame): void;
}
