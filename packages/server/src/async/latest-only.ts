/** What is being saved of one document, and what is to be saved next. */
interface RunLane {
  running: Promise<void>;
  next: { run: () => unknown; readonly done: Promise<void> } | undefined;
}

/**
 * Saves one document at a time, and of those that wait the newest: a slow database falls behind by
 * one, not by all.
 */
export class LatestOnly {
  readonly #lanes = new Map<string, RunLane>();

  /** Resolves when this or a newer one is saved; rejects with what the application threw. */
  save(channel: string, run: () => unknown): Promise<void> {
    const lane = this.#lanes.get(channel);
    if (!lane) return this.#start(channel, run);
    if (lane.next) lane.next.run = run;
    else lane.next = { run, done: this.#after(channel, lane) };
    return lane.next.done;
  }

  #start(channel: string, run: () => unknown): Promise<void> {
    const running = (async () => void (await run()))();
    const lane: RunLane = { running, next: undefined };
    this.#lanes.set(channel, lane);
    const finish = (): void => void (lane.next || this.#lanes.delete(channel));
    running.then(finish, finish);
    return running;
  }

  async #after(channel: string, lane: RunLane): Promise<void> {
    await lane.running.catch(() => undefined);
    await this.#start(channel, lane.next!.run);
  }
}
