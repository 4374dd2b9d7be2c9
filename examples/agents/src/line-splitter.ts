import { StringDecoder } from "node:string_decoder";
import { stripVTControlCharacters } from "node:util";

/**
 * The most characters of a line; longer lines are truncated. Each line becomes an event, and a
 * program that never ends a line must not fill the memory.
 */
export const MAX_LINE_LENGTH = 400;

/**
 * Turns the bytes of a stream into lines. Buffers the start of the current line, and the bytes of a
 * character that is split over two chunks.
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

  /** Ends the stream. A last line without a line break counts as a line. */
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
    // Text beyond the limit is dropped chunk by chunk, before the line ends.
    const room = MAX_LINE_LENGTH - this.#open.length;
    if (piece.length > room) this.#cut = true;
    if (room > 0) this.#open += piece.slice(0, room);
  }

  #finish(): void {
    // Colours and carriage returns are for terminals and mean nothing on a web page.
    const text = stripVTControlCharacters(this.#open).replace(/\r/g, "");
    this.#onLine(this.#cut ? `${text}…` : text);
    this.#open = "";
    this.#cut = false;
  }
}
