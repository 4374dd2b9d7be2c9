import type { Patch, Position } from "@holdfast/protocol";
import { applyPatches, hashOf } from "@holdfast/protocol/internal";
import type { Document } from "../broker/broker.js";
import type { KeptEvent } from "./ring.js";
import { Frame } from "../transport/frame.js";
import { blankText, type StoredDocument, readKept } from "../document/document.js";

/** The text of a snapshot without its position, encoded once for each version of the document. */
interface Snapshot {
  readonly of: StoredDocument | undefined;
  readonly head: string;
  readonly tail: string;
}

/**
 * The copy of a channel's document on this instance. Unless it is lost, the copy is the document at
 * the channel's position on this instance. A joining client receives a snapshot and then every
 * later change, so no change is missed.
 */
export class DocumentCopy {
  readonly #channel: string;
  #kept: StoredDocument | undefined;
  #isLost = false;
  #snapshot: Snapshot | undefined;
  #frame: { readonly id: string; readonly snapshot: Snapshot; readonly frame: Frame } | undefined;

  constructor(channel: string) {
    this.#channel = channel;
  }

  /**
   * True if the stored text or a change could not be read. The document must then be read again.
   */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** True if the store has no document, or if the copy is lost. */
  get isMissing(): boolean {
    return this.#kept === undefined;
  }

  /** The reason given for the deletion, if the document was deleted. */
  get deletedFor(): string | undefined {
    return this.#kept?.name === "deleted" ? this.#kept.reason : undefined;
  }

  /**
   * Replaces the copy with the document that was read from the store together with the position.
   */
  load(document: Document | undefined): void {
    try {
      this.#kept = document && readKept(document.text);
      this.#isLost = false;
    } catch {
      this.#lose();
    }
  }

  /** Applies the next change in the chain. */
  take(body: string): void {
    try {
      this.#kept = this.#changed(JSON.parse(body) as Change);
      // Among changes, only one that contains the whole document recovers a lost copy.
      if (this.#kept.name === "there") this.#isLost = false;
    } catch {
      this.#lose();
    }
  }

  /** The length of the snapshot in characters. */
  get length(): number {
    const { head, tail } = this.#ofNow();
    return head.length + tail.length;
  }

  /** A frame with the whole document at this position. All members receive the same frame. */
  frame(position: Position): Frame {
    const snapshot = this.#ofNow();
    if (this.#frame?.id !== position.id || this.#frame.snapshot !== snapshot) {
      const text = `${snapshot.head}"position":${JSON.stringify(position)}${snapshot.tail}`;
      this.#frame = { id: position.id, snapshot, frame: new Frame(text) };
    }
    return this.#frame.frame;
  }

  /**
   * Decides how a client that missed events catches up with the document. The client receives the
   * missed changes if it has the document at its position, if no change deleted the document
   * meanwhile, and if the changes take less than half of the snapshot's size. Otherwise a snapshot
   * follows, and the changes are sent without patches, so that the chain of links has no gap.
   */
  afterMissing(
    missed: readonly KeptEvent[],
    hasDocument: boolean,
  ): { readonly missed: readonly KeptEvent[]; readonly snapshot: boolean } {
    const changes = missed.filter(({ version }) => version !== undefined);
    const bytes = changes.reduce((sum, change) => sum + change.bytes, 0);
    const isEnough = hasDocument && changes.every(({ version }) => version !== 0);
    if (isEnough && (changes.length === 0 || bytes * 2 < this.length)) return { missed, snapshot: false };
    return {
      missed: missed.map((event) => (event.version === undefined ? event : this.#blank(event))),
      snapshot: true,
    };
  }

  #blank({ link, version }: KeptEvent): KeptEvent {
    const text = blankText(this.#channel, version || 1, link);
    return { link, version, frame: new Frame(text), bytes: text.length };
  }

  #lose(): void {
    this.#isLost = true;
    this.#kept = undefined;
  }

  /** @throws Error if the change does not fit the document */
  #changed(change: Change): StoredDocument {
    if (change.type === "state_deleted")
      return { name: "deleted", version: (this.#kept?.version ?? 0) + 1, reason: change.data.reason };
    const before = this.#kept?.name === "there" ? this.#kept.content : { data: undefined };
    const { version, patches } = change.data;
    const meta = change.meta ?? before.meta;
    return {
      name: "there",
      version,
      content: { data: applyPatches(before.data, patches), ...(meta !== undefined && { meta }) },
    };
  }

  #ofNow(): Snapshot {
    if (this.#snapshot?.of === this.#kept && this.#snapshot) return this.#snapshot;
    const kept = this.#kept;
    const { data, meta } = kept?.name === "there" ? kept.content : { data: undefined, meta: undefined };
    const state = data === undefined ? "" : `"state":${JSON.stringify(data)},`;
    const head = `{"type":"state_sync","channel":${JSON.stringify(this.#channel)},"data":{${state}`;
    const facts = `,"version":${kept?.version ?? 0},"hash":"${hashOf(data)}"}`;
    const tail = `${facts}${meta === undefined ? "" : `,"meta":${JSON.stringify(meta)}`}}`;
    return (this.#snapshot = { of: kept, head, tail });
  }
}

/** A change as written by `changeText`. */
type Change =
  | { readonly type: "state_deleted"; readonly data: { readonly reason: string } }
  | {
      readonly type: "state_update";
      readonly data: { readonly version: number; readonly patches: readonly Patch[] };
      readonly meta?: unknown;
    };
