import type { StoredDocument } from "./document.js";

/** A document as it was in the broker when it was last read or written. */
export interface Known {
  /** The id of the publication that stored the document. */
  readonly id: string;
  readonly kept: StoredDocument;
}

/**
 * The most characters of all cached documents together. Frequently changed documents need not be
 * read and parsed each time; a larger cache is not worth the memory.
 */
const MOST_CHARACTERS = 4_000_000;

/**
 * Caches the documents that this instance used most recently. The broker is then only asked whether
 * a cached document is still the current one.
 */
export class KnownDocuments {
  /** Ordered by last use, oldest first. */
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

  /** `length` is the length of the document's stored string. */
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
