import type { ChannelId } from "@holdfast/protocol";
import type { Cancel, Environment } from "../environment.js";

/** The broker is asked again after this, and not by all instances at once. */
const AGAIN_AFTER_MS = 5_000;
const AGAIN_WITHIN_MS = 5_000;

/** Names of channels may be a peer's to choose: of more than so many the oldest are forgotten. */
const MOST = 10_000;

/**
 * Documents whose last change the broker has not answered for. It may have it all the same, and then the application's database
 * does not: so they are asked for, one after the other, until there is an answer. Runs a timer only while there are any.
 */
export class UnsureDocuments {
  readonly #environment: Environment;
  readonly #ask: (id: ChannelId) => Promise<unknown>;
  readonly #ids = new Map<string, ChannelId>();
  #cancel: Cancel | undefined;
  #isClosed = false;

  /** `ask` reads the document, and takes it out of here. */
  constructor(environment: Environment, ask: (id: ChannelId) => Promise<unknown>) {
    this.#environment = environment;
    this.#ask = ask;
  }

  add(id: ChannelId): void {
    if (this.#isClosed) return;
    this.#ids.delete(id.wire);
    this.#ids.set(id.wire, id);
    for (const [oldest] of this.#ids) {
      if (this.#ids.size <= MOST) break;
      this.#ids.delete(oldest);
    }
    this.#wait();
  }

  /** Whether it was one of them. */
  take(wire: string): boolean {
    return this.#ids.delete(wire);
  }

  close(): void {
    this.#isClosed = true;
    this.#ids.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(): void {
    const { after, random } = this.#environment;
    if (this.#ids.size > 0 && !this.#isClosed)
      this.#cancel ??= after(AGAIN_AFTER_MS + random() * AGAIN_WITHIN_MS, () => void this.#askAll());
  }

  async #askAll(): Promise<void> {
    try {
      for (const id of [...this.#ids.values()]) await this.#ask(id);
    } catch {
      // Not to be reached yet: the others need not be tried.
    } finally {
      this.#cancel = undefined;
      this.#wait();
    }
  }
}
