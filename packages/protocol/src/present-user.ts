/** A user who is present on a channel. */
export interface PresentUser<Data = unknown> {
  readonly userId: string;
  /**
   * The ids of the user's devices on the channel. A device that left less than the grace period ago
   * (by default 5 s) is still listed.
   */
  readonly devices: readonly string[];
  /** The presence data that other clients see, in the shape of the channel's `presence` schema. */
  readonly data: Data;
}
