import type { ChannelId } from "@holdfast/protocol";
import type { Cancel, Environment } from "../environment.js";

/** It is tried again after this, and not by all instances at once. */
const AGAIN_AFTER_MS = 5_000;
const AGAIN_WITHIN_MS = 5_000;

/** Names of channels may be a peer's to choose: of more than so many the oldest are forgotten. */
const MOST = 10_000;

/**
 * Documents whose last change the broker has not answered for. It may have it all the same, and then the application's database
 * does not: so what it has is saved, one after the other, until that has succeeded. Runs a timer only while there are any.
 */
export class UnsureDocuments {
  readonly #environment: Environment;
  readonly #save: (id: ChannelId) => Promise<void>;
  /** A new object each time: one that is lost again while it is saved has to be saved again. */
  readonly #lost = new Map<string, { readonly id: ChannelId }>();
  #cancel: Cancel | undefined;
  #isClosed = false;

  constructor(environment: Environment, save: (id: ChannelId) => Promise<void>) {
    this.#environment = environment;
    this.#save = save;
  }

  add(id: ChannelId): void {
    if (this.#isClosed) return;
    this.#lost.delete(id.wire);
    this.#lost.set(id.wire, { id });
    for (const [oldest] of this.#lost) {
      if (this.#lost.size <= MOST) break;
      this.#lost.delete(oldest);
    }
    this.#wait();
  }

  /** Tries each of them once. Never fails. */
  async saveAll(): Promise<void> {
    for (const [wire, lost] of [...this.#lost]) {
      if (this.#isClosed) return;
      const isSaved = await this.#save(lost.id).then(
        () => true,
        () => false,
      );
      if (isSaved && this.#lost.get(wire) === lost) this.#lost.delete(wire);
    }
  }

  /** How many are left. */
  close(): number {
    const { size } = this.#lost;
    this.#isClosed = true;
    this.#lost.clear();
    this.#cancel?.();
    this.#cancel = undefined;
    return size;
  }

  #wait(): void {
    if (this.#lost.size === 0 || this.#isClosed) return;
    const { after, random } = this.#environment;
    this.#cancel ??= after(AGAIN_AFTER_MS + random() * AGAIN_WITHIN_MS, () => {
      void this.saveAll().then(() => {
        this.#cancel = undefined;
        this.#wait();
      });
    });
  }
}
