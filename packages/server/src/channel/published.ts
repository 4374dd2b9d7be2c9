/** The result of a publication. */
export interface Published {
  /**
   * The number of this instance's connections that are subscribed to the channel, and so receive
   * the event. Members on other instances are not counted.
   */
  readonly delivered: number;
  /** The event's offset in the channel's history. Undefined if the channel has no history. */
  readonly offset?: number | undefined;
  /** The event's id. Undefined if the channel has no history. */
  readonly id?: string | undefined;
  /**
   * True if an event with the same `idempotencyKey` was published before. Then `offset` and `id`
   * are those of the first event, and nothing was published.
   */
  readonly duplicate?: boolean | undefined;
}
