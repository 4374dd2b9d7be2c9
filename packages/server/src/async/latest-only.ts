/** The running save of one document, and the save that follows. */
interface RunLane {
  running: Promise<void>;
  next: { run: () => unknown; readonly done: Promise<void> } | undefined;
}

/**
 * Saves one version of each document at a time. If several versions wait, only the latest is saved,
 * so a slow database never has more than one waiting save for each document.
 */
export class LatestOnly {
  readonly #lanes = new Map<string, RunLane>();

  /**
   * Resolves when this or a newer version is saved. Rejects with the error of the application's
   * hook.
   */
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
