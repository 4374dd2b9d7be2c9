import type { Patch, Position } from "@holdfast/protocol";
import { applyPatches, hashOf } from "@holdfast/protocol/internal";
import type { Document } from "../broker/broker.js";
import type { KeptEvent } from "./ring.js";
import { Frame } from "../transport/frame.js";
import { blankText, type StoredDocument, readKept } from "../document/document.js";

/**
 * What is needed to tell somebody the whole document, made when it is needed, once for each
 * document.
 */
interface Snapshot {
  readonly of: StoredDocument | undefined;
  readonly head: string;
  readonly tail: string;
}

/**
 * A channel's document on this instance, always exactly where the instance stands in the channel's
 * chain. So whoever joins gets a snapshot and then what follows it, and nothing can come in
 * between.
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

  /** Something could not be applied: it has to be read anew. */
  get isLost(): boolean {
    return this.#isLost;
  }

  get isMissing(): boolean {
    return this.#kept === undefined;
  }

  /** Why there is none any more. */
  get deletedFor(): string | undefined {
    return this.#kept?.name === "deleted" ? this.#kept.reason : undefined;
  }

  /** What was read of the store, with the position. */
  load(document: Document | undefined): void {
    try {
      this.#kept = document && readKept(document.text);
      this.#isLost = false;
    } catch {
      this.#lose();
    }
  }

  /** The next change in the chain. */
  take(body: string): void {
    try {
      this.#kept = this.#changed(JSON.parse(body) as Change);
      // Only all of it fits where it was lost.
      if (this.#kept.name === "there") this.#isLost = false;
    } catch {
      this.#lose();
    }
  }

  /** How long the snapshot is. */
  get length(): number {
    const { head, tail } = this.#ofNow();
    return head.length + tail.length;
  }

  /** The whole document, as it is at this position. The same frame for everyone. */
  frame(position: Position): Frame {
    const snapshot = this.#ofNow();
    if (this.#frame?.id !== position.id || this.#frame.snapshot !== snapshot) {
      const text = `${snapshot.head}"position":${JSON.stringify(position)}${snapshot.tail}`;
      this.#frame = { id: position.id, snapshot, frame: new Frame(text) };
    }
    return this.#frame.frame;
  }

  /**
   * What somebody is told who has missed this: the changes, where the document was there before and
   * they take less than half of it. Otherwise all of it follows, and the changes keep no more than
   * their places in the chain.
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

  /** @throws Error when it does not fit */
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

/** What `changeText` has written. */
type Change =
  | { readonly type: "state_deleted"; readonly data: { readonly reason: string } }
  | {
      readonly type: "state_update";
      readonly data: { readonly version: number; readonly patches: readonly Patch[] };
      readonly meta?: unknown;
    };
