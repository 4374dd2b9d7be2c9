/** The result of a publication. */
export interface Published {
  /**
   * The number of this instance's connections that are subscribed to the channel, or that are open
   * in the case of a broadcast. 0 if nothing was published. Connections of other instances are not
   * counted.
   */
  readonly delivered: number;
  /** The event's offset in the channel's history. Undefined if the channel has no history. */
  readonly offset?: number | undefined;
  /** The event's id. Undefined if the channel has no history. */
  readonly id?: string | undefined;
  /**
   * True if an event with the same `idempotencyKey` was published before. Then `offset` and `id`
   * are those of the first event, and nothing was published. Otherwise undefined.
   */
  readonly duplicate?: boolean | undefined;
}
