import type { Frame } from "../transport/frame.js";

/** The part of a member that its channel uses. */
export interface Subscriber {
  /**
   * The user of the member. Undefined if the server has no `authenticate`; then presence does not
   * list the member.
   */
  readonly userId: string | undefined;
  readonly deviceId: string | undefined;
  /**
   * True if so many bytes wait for the member that less urgent messages should be delayed.
   */
  readonly isBehind: boolean;
  /** Queues a frame to send. Never throws and never waits. */
  deliver(frame: Frame): void;
  /**
   * Removes the member from a channel that has ended. `wire` is the channel's name with its key.
   */
  dismiss(wire: string): void;
}
