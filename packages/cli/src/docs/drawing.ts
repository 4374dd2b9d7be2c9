import { escapeHtml } from "./escape-html.js";
import { actorNames } from "./mermaid.js";
import { type Actor, actorsOf, everyStep, labelOf, type Sequence, type Step } from "./sequence.js";

/*
 * Draws a sequence as an SVG, from the same steps as the mermaid text. The page may not load
 * mermaid, and mermaid is larger than the whole page. Class names give the drawing the colours and
 * fonts of the page.
 */

/**
 * Width of a character. Labels use a monospaced font, whose characters are 0.6 em wide at 12 px;
 * the rest is padding.
 */
const CHARACTER = 7.25;
const LONGEST_LABEL = 56;
const ROW = 42;
const HEAD = 34;
const MARGIN = 16;
/** Minimum distance between two lifelines, even if all labels between the two are short. */
const GAP = 150;

export function drawing(sequence: Sequence): string {
  const picture = new Picture(layOut(sequence.steps, actorsOf(sequence.steps)));
  for (const step of sequence.steps) picture.draw(step, 0);
  return picture.finish(sequence.title);
}

interface Layout {
  /** The x position of each actor's lifeline. */
  readonly columns: ReadonlyMap<Actor, number>;
  readonly width: number;
}

/** Places the lifelines so that the longest label between two actors fits. */
function layOut(steps: readonly Step[], actors: readonly Actor[]): Layout {
  const gaps: number[] = actors.slice(1).map(() => GAP);
  let left = nameWidth(actors[0]) / 2;
  let right = nameWidth(actors.at(-1)) / 2;
  const fit = (from: Actor, to: Actor, label: string): void => {
    const [first, last] = [actors.indexOf(from), actors.indexOf(to)].sort((a, b) => a - b) as [number, number];
    const wanted = (cut(label).length * CHARACTER + 34) / (last - first);
    for (let index = first; index < last; index++) gaps[index] = Math.max(gaps[index] ?? 0, wanted);
  };
  for (const step of everyStep(steps)) {
    switch (step.kind) {
      case "frame":
        fit("client", "server", labelOf(step.message));
        break;
      case "close":
        fit("client", "server", step.label);
        break;
      case "call":
        fit(step.from, step.to, step.label);
        break;
      case "note": {
        const index = actors.indexOf(step.over);
        const half = noteWidth(step.label) / 2 + 10;
        if (index === 0) left = Math.max(left, half);
        else gaps[index - 1] = Math.max(gaps[index - 1] ?? 0, half);
        if (index < gaps.length) gaps[index] = Math.max(gaps[index] ?? 0, half);
        else right = Math.max(right, half);
        break;
      }
      default:
        step satisfies never;
    }
  }
  let x = 2 * MARGIN + left;
  const columns = new Map<Actor, number>();
  for (const [index, actor] of actors.entries()) {
    columns.set(actor, Math.round(x));
    x += gaps[index] ?? 0;
  }
  return { columns, width: Math.round(x + right + 2 * MARGIN) };
}

class Picture {
  readonly #columns: ReadonlyMap<Actor, number>;
  readonly #shapes: string[] = [];
  /** Boxes are drawn after the lifelines and before the steps that they contain. */
  readonly #boxes: string[] = [];
  readonly #width: number;
  #y = HEAD + MARGIN + 8;

  constructor({ columns, width }: Layout) {
    this.#columns = columns;
    this.#width = width;
  }

  draw(step: Step, depth: number): void {
    switch (step.kind) {
      case "frame":
        return step.sentBy === "client"
          ? this.#arrow("client", "server", labelOf(step.message), "from-client")
          : this.#arrow("server", "client", labelOf(step.message), "from-server");
      case "call":
        return this.#arrow(step.from, step.to, step.label, step.answer ? "answer" : "call");
      case "close":
        return step.by === "client"
          ? this.#arrow("client", "server", step.label, "close")
          : this.#arrow("server", "client", step.label, "close");
      case "note":
        return this.#note(step.over, step.label);
      case "either":
        return this.#either(step.branches, depth);
      default:
        step satisfies never;
    }
  }

  #arrow(from: Actor, to: Actor, label: string, style: string): void {
    this.#y += ROW;
    const [x1, x2] = [this.#column(from), this.#column(to)];
    const back = x2 > x1 ? -1 : 1;
    const y = this.#y;
    const end = style === "close" ? x2 + back * 12 : x2 + back * 2;
    const head =
      style === "close"
        ? `<path d="M${end - 5} ${y - 5}l10 10m0 -10l-10 10"/>`
        : `<path class="head" d="M${end} ${y}l${back * 8} -4.5v9z"/>`;
    this.#shapes.push(
      `<g class="${style}"><title>${escapeHtml(label)}</title><path d="M${x1} ${y}H${end}"/>${head}` +
        `<text x="${(x1 + x2) / 2}" y="${y - 8}">${labelHtml(label, style)}</text></g>`,
    );
  }

  #note(over: Actor, label: string): void {
    this.#y += ROW;
    const width = noteWidth(label);
    const x = this.#column(over) - width / 2;
    const y = this.#y - 18;
    this.#shapes.push(
      `<g class="note"><rect x="${x}" y="${y}" width="${width}" height="26" rx="6"/>` +
        `<text x="${x + width / 2}" y="${y + 17}">${escapeHtml(label)}</text></g>`,
    );
  }

  #either(branches: readonly { readonly label: string; readonly steps: readonly Step[] }[], depth: number): void {
    this.#y += 22;
    const top = this.#y;
    const x = MARGIN * (1 + depth / 2);
    const width = this.#width - 2 * x;
    const parts: string[] = [];
    branches.forEach((branch, index) => {
      if (index > 0) {
        this.#y += 20;
        parts.push(`<path class="divider" d="M${x} ${this.#y}h${width}"/>`);
      }
      const y = this.#y;
      const tab = branch.label.length * 6.6 + 20;
      parts.push(`<rect class="tab" x="${x}" y="${y}" width="${tab}" height="22" rx="6"/>`);
      parts.push(`<text class="branch" x="${x + 10}" y="${y + 15}">${escapeHtml(branch.label)}</text>`);
      this.#y += 12;
      for (const step of branch.steps) this.draw(step, depth + 1);
    });
    this.#y += 16;
    this.#boxes.push(
      `<g class="either"><rect x="${x}" y="${top}" width="${width}" height="${this.#y - top}" rx="8"/>${parts.join("")}</g>`,
    );
  }

  finish(title: string): string {
    const height = this.#y + MARGIN + 14;
    const columns = [...this.#columns];
    const lives = columns.map(([, x]) => `<path class="life" d="M${x} ${HEAD + MARGIN / 2}V${height - 8}"/>`);
    const heads = columns.map(([actor, x]) => {
      const width = nameWidth(actor);
      return (
        `<g class="actor"><rect x="${x - width / 2}" y="${MARGIN / 2}" width="${width}" height="${HEAD}" rx="8"/>` +
        `<text x="${x}" y="${MARGIN / 2 + 22}">${actorNames[actor]}</text></g>`
      );
    });
    return (
      `<svg class="sequence" viewBox="0 0 ${this.#width} ${height}" width="${this.#width}" height="${height}" role="img" ` +
      `aria-label="${escapeHtml(title)}">${[...lives, ...this.#boxes, ...heads, ...this.#shapes].join("")}</svg>`
    );
  }

  #column(actor: Actor): number {
    return this.#columns.get(actor) ?? 0;
  }
}

/** Sets the type of a frame in bold and the details that follow in normal weight. */
function labelHtml(label: string, style: string): string {
  const shown = cut(label);
  if (!style.startsWith("from-")) return escapeHtml(shown);
  const [type = ""] = shown.split(" ", 1);
  return `<tspan class="type">${escapeHtml(type)}</tspan>${escapeHtml(shown.slice(type.length))}`;
}

function nameWidth(actor: Actor | undefined): number {
  return actor ? Math.max(84, actorNames[actor].length * 8 + 28) : 0;
}

function noteWidth(label: string): number {
  return Math.round(label.length * 6.5 + 24);
}

function cut(label: string): string {
  return label.length > LONGEST_LABEL ? `${label.slice(0, LONGEST_LABEL - 1)}…` : label;
}
