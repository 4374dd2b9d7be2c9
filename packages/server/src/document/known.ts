import type { StoredDocument } from "./document.js";

/** A document as it was in the broker when it was read or written last. */
export interface Known {
  /** The publication that has brought it. */
  readonly id: string;
  readonly kept: StoredDocument;
}

/**
 * Documents that are changed often need not be read and parsed each time; more than this is not
 * worth the memory.
 */
const MOST_CHARACTERS = 4_000_000;

/**
 * The documents that this instance has seen last, so that the broker is asked no more than whether
 * they still are what is there.
 */
export class KnownDocuments {
  /** In the order in which they were last asked for. */
  readonly #documents = new Map<string, Known & { readonly length: number }>();
  #characters = 0;

  get(channel: string): Known | undefined {
    const known = this.#documents.get(channel);
    if (known) {
      this.#documents.delete(channel);
      this.#documents.set(channel, known);
    }
    return known;
  }

  /** `length` is that of its text. */
  set(channel: string, known: Known, length: number): void {
    this.delete(channel);
    this.#documents.set(channel, { ...known, length });
    this.#characters += length;
    for (const [oldest] of this.#documents) {
      if (this.#characters <= MOST_CHARACTERS) break;
      this.delete(oldest);
    }
  }

  delete(channel: string): void {
    this.#characters -= this.#documents.get(channel)?.length ?? 0;
    this.#documents.delete(channel);
  }
}
