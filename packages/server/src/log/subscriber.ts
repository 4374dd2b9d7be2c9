import type { Frame } from "../transport/frame.js";

/** A member of a channel, as far as the channel knows it. */
export interface Subscriber {
  /**
   * The user of the member. Undefined if the server has no `authenticate`; then presence does not
   * list the member.
   */
  readonly userId: string | undefined;
  readonly deviceId: string | undefined;
  /**
   * True if so many bytes wait for the member that messages which can be sent later should wait.
   */
  readonly isBehind: boolean;
  /** Queues a frame to send. Never throws and never waits. */
  deliver(frame: Frame): void;
  /** Called when the channel has ended, so that the member no longer belongs to it. */
  dismiss(wire: string): void;
}
