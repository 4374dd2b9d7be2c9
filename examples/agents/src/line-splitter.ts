import { StringDecoder } from "node:string_decoder";
import { stripVTControlCharacters } from "node:util";

/**
 * Longer lines are cut: one line is one event, and a program that never ends its line must not fill
 * the memory.
 */
export const MAX_LINE_LENGTH = 400;

/**
 * Turns the bytes of a stream into lines. Remembers the beginning of the line that has not ended
 * yet, and the bytes of a character that a chunk cut in two.
 */
export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #onLine: (text: string) => void;
  #open = "";
  #cut = false;

  constructor(onLine: (text: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    this.#read(this.#decoder.write(chunk));
  }

  /** The stream is over: a last line without an end counts as one. */
  end(): void {
    this.#read(this.#decoder.end());
    if (this.#open !== "") this.#finish();
  }

  #read(text: string): void {
    const pieces = text.split("\n");
    for (const [index, piece] of pieces.entries()) {
      this.#extend(piece);
      if (index < pieces.length - 1) this.#finish();
    }
  }

  #extend(piece: string): void {
    // What lies beyond the limit is dropped here, chunk by chunk, not when the line ends.
    const room = MAX_LINE_LENGTH - this.#open.length;
    if (piece.length > room) this.#cut = true;
    if (room > 0) this.#open += piece.slice(0, room);
  }

  #finish(): void {
    // Colours and carriage returns mean something to a terminal and nothing to a web page.
    const text = stripVTControlCharacters(this.#open).replace(/\r/g, "");
    this.#onLine(this.#cut ? `${text}…` : text);
    this.#open = "";
    this.#cut = false;
  }
}
