import type { Field } from "./fields.js";
import type { Direction } from "@holdfast/protocol/wire";
import type { Sequence } from "./sequence.js";

/**
 * A reference as a tree of sections, before it is Markdown or HTML. Texts are sentences in which
 * `code`, **strong** and [links](#to-a-section) may stand.
 */
export interface Reference {
  readonly title: string;
  readonly subtitle: string;
  readonly introduction: readonly Block[];
  readonly sections: readonly Section[];
}

export interface Section {
  /** Unique in the document; links point here. */
  readonly id: string;
  readonly title: string;
  /** The title is a name from the code. */
  readonly isName?: boolean;
  /** Short labels beside the title: a direction or a kind. */
  readonly badges?: readonly Badge[];
  readonly blocks: readonly Block[];
  readonly sections?: readonly Section[];
}

export type Badge =
  "client → server" | "server → client" | "both ways" | "query" | "mutation" | "once" | "history" | "key";

export type Block =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "fields"; readonly caption: string; readonly fields: readonly Field[] }
  | { readonly kind: "table"; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }
  /** A complete frame, as it goes over the wire. */
  | { readonly kind: "frame"; readonly caption: string; readonly sentBy: Direction; readonly message: unknown }
  /** TypeScript that a reader can copy. */
  | { readonly kind: "source"; readonly caption: string; readonly source: string }
  /** Blocks that are hidden until the reader opens them. */
  | { readonly kind: "fold"; readonly caption: string; readonly blocks: readonly Block[] }
  | { readonly kind: "sequence"; readonly sequence: Sequence };

export const text = (sentence: string): Block => ({ kind: "text", text: sentence });

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): Block => ({
  kind: "table",
  head,
  rows,
});

export const frame = (caption: string, sentBy: Direction, message: unknown): Block => ({
  kind: "frame",
  caption,
  sentBy,
  message,
});

export const source = (caption: string, text: string): Block => ({ kind: "source", caption, source: text });

/** Readers of the typed API need no frames, so the frames of an application are folded away. */
export const framesFold = (...frames: readonly Block[]): Block => ({
  kind: "fold",
  caption: "On the wire",
  blocks: frames,
});

/** A sequence as a section of its own. */
export function sequenceSection(sequence: Sequence): Section {
  return {
    id: sequence.id,
    title: sequence.title,
    blocks: [text(sequence.text), { kind: "sequence", sequence }],
  };
}

export const code = (name: string): string => `\`${name}\``;

export function link(id: string, label: string): string {
  return `[${label}](#${id})`;
}

/** Adds a number to a caption if there are several. */
export function nth(caption: string, index: number, all: readonly unknown[]): string {
  return all.length > 1 ? `${caption} ${index + 1}` : caption;
}
