/** What came of a publication. */
export interface Published {
  /**
   * How many connections of this process are on the channel: they have it. With one process, that
   * is all of them.
   */
  readonly delivered: number;
  /** Its place in the channel's history; undefined on a channel without. */
  readonly offset?: number | undefined;
  /** Its id, on a channel with history. */
  readonly id?: string | undefined;
  /**
   * True: one with the same `idempotencyKey` was published before, and this is the place of that
   * one.
   */
  readonly duplicate?: boolean | undefined;
}
