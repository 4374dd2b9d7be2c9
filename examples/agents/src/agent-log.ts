import type { Line } from "./protocol.js";

export interface AgentLogOptions {
  /** How many lines are stored for pages that open the log later. @default 200 */
  keep?: number;
  /**
   * The most lines per second, on average: more than people can read, while a program can write a
   * million. @default 20
   */
  linesPerSecond?: number;
  /** The most lines at once, so that a short report of a program arrives complete. @default 60 */
  burst?: number;
  /** Milliseconds since an arbitrary time, never set back. @default performance.now */
  monotonic?: () => number;
}

/**
 * Stores the last lines of one agent, numbered. If a program writes too fast, lines are skipped,
 * and a note says how many.
 */
export class AgentLog {
  readonly #keep: number;
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #monotonic: () => number;
  readonly #onLine: (line: Line) => void;
  readonly #lines: Line[] = [];
  #number = 0;
  #allowance: number;
  #filledAt: number;
  #skipped = 0;

  constructor(onLine: (line: Line) => void, options: AgentLogOptions = {}) {
    this.#onLine = onLine;
    this.#keep = options.keep ?? 200;
    this.#perSecond = options.linesPerSecond ?? 20;
    this.#burst = options.burst ?? 60;
    this.#monotonic = options.monotonic ?? (() => performance.now());
    this.#allowance = this.#burst;
    this.#filledAt = this.#monotonic();
  }

  get lines(): readonly Line[] {
    return this.#lines;
  }

  write(stream: "stdout" | "stderr", text: string): void {
    this.#refill();
    // While lines are being skipped, the next line must leave room for the note about these lines.
    const cost = this.#skipped > 0 ? 2 : 1;
    if (this.#allowance < cost) {
      this.#skipped++;
      return;
    }
    this.#allowance -= cost;
    this.#tellSkipped();
    this.#add(stream, text);
  }

  /** Adds a line that the server writes. Such a line is never skipped. */
  note(text: string): void {
    this.#tellSkipped();
    this.#add("note", text);
  }

  #refill(): void {
    const now = this.#monotonic();
    this.#allowance = Math.min(this.#burst, this.#allowance + ((now - this.#filledAt) / 1_000) * this.#perSecond);
    this.#filledAt = now;
  }

  #tellSkipped(): void {
    if (this.#skipped === 0) return;
    const count = this.#skipped;
    this.#skipped = 0;
    this.#add("note", `${count} ${count === 1 ? "line" : "lines"} skipped: more than ${this.#perSecond} per second`);
  }

  #add(stream: Line["stream"], text: string): void {
    const line: Line = { number: ++this.#number, stream, text, at: new Date() };
    this.#lines.push(line);
    if (this.#lines.length > this.#keep) this.#lines.shift();
    this.#onLine(line);
  }
}
