import type { Link, Position } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";
import type { Logger } from "../observe/logger.js";

/**
 * What carries events between the instances of a server, and keeps what has to outlive one of them.
 * One process needs nothing: the memory broker is the default. Several share a Redis.
 *
 * A broker knows topics. A topic is announced to whoever subscribes to it; beyond that it may have
 *
 * - a **log**: its last publications, each with an offset, an id and the id of the one before it,
 * - a **table**: fields with values, each change of which is a publication of the topic, so that
 *   what was read of the table and what is announced afterwards cannot contradict each other, and
 * - a **document**: one text that a publication replaces in the same go. It is kept and read, but
 *   not announced: the publication says what has changed.
 *
 * The contract, which `brokerContract` (in the tests) checks against every implementation:
 *
 * 1. `publish` resolves when the store has the publication, and not before. What it cannot store is
 *    refused with UNAVAILABLE within a second, and then it may or may not have been stored: whoever
 *    has to know repeats it with the same key.
 * 2. Publications of one topic have one order, the same for all: offsets count up by one, and each
 *    names its predecessor.
 * 3. Whoever has subscribed is told of every publication in that order, the publisher's own
 *    included, **or** told by `onDoubt` that some may have been lost. It is never told of one that
 *    the store does not have.
 * 4. The store may lose publications, as Redis does when it fails over or restarts from an old
 *    snapshot. The broker need not notice: ids are never used twice, so whoever follows the chain
 *    does.
 * 5. What an instance put into tables counts for as long as its lease lasts. The broker keeps the
 *    lease up by itself; `onGone` names instances whose lease has run out, `onForgotten` says that
 *    the store has lost what this instance put.
 * 6. Nothing that a broker is told, or finds in its store, makes it throw into the event loop.
 */
export interface Broker {
  /**
   * An instance takes part. Connects at once, and goes on trying for as long as it must; it does
   * not wait for that.
   */
  join(instance: BrokerInstance): BrokerLink;
}

/** An instance of a server, as its broker sees it. */
export interface BrokerInstance {
  /** 128 random bits: no two instances have the same, and one that is restarted has another. */
  readonly id: string;
  /** The name of the protocol that it serves. Topics of one protocol are not those of another. */
  readonly protocol: string;
  readonly environment: ServerEnvironment;
  readonly logger: Logger;
  /** Something was published on a topic that the instance has subscribed to. Never throws. */
  receive(topic: string, publication: Publication): void;
  /** Announcements may have been lost on their way here: positions are to be compared. */
  onDoubt(): void;
  /** These instances are gone without having said so: what they put into tables counts no more. */
  onGone(instances: readonly string[]): void;
  /**
   * The store does not have what this instance has put into tables, or not all of it: it is to be
   * put again.
   */
  onForgotten(): void;
}

export interface Publication {
  /**
   * What was published. The broker does not read it. Empty for a change of a table that has nothing
   * to say but itself.
   */
  readonly body: string;
  /** Its place; undefined on a topic that has neither log nor table. */
  readonly link?: Link | undefined;
  /** The change of the topic's table that it stands for. */
  readonly entry?: TableEntry | undefined;
}

/** A field of a table and its value; without one the field was taken out. */
export interface TableEntry {
  readonly field: string;
  readonly value?: string | undefined;
}

export interface AppendOptions {
  /**
   * Keep it in the topic's log: the last so many, for so long after the last. A topic always has
   * the same.
   */
  readonly log?: { readonly size: number; readonly ttlMs: number } | undefined;
  /** Change the topic's table. A table lives this long after its topic was last touched. */
  readonly table?: { readonly entry: TableEntry; readonly ttlMs: number } | undefined;
  /**
   * Names what is published, at most 128 characters: a second publication with the same key on the
   * same topic, within ten minutes, changes nothing. Needs a log or a table.
   */
  readonly key?: string | undefined;
  /** Only if the topic stands exactly here. Needs a log or a table. */
  readonly expected?: Pick<Position, "offset" | "id"> | undefined;
  /** Replace the topic's document. Needs a log. */
  readonly document?: DocumentChange | undefined;
}

export interface DocumentChange {
  readonly text: string;
  /**
   * Only if the document is the one that the publication of this id has brought; empty: only if
   * there is none.
   */
  readonly expected: string;
  /** How long the topic is remembered, the document with it, after it was last touched. */
  readonly ttlMs: number;
}

/** A topic's document, named by the publication that has brought it. */
export interface Document {
  readonly id: string;
  readonly text: string;
}

/** What became of a publication. */
export interface Appended {
  /**
   * - `appended`: it is stored, and announced
   * - `duplicate`: one with its key had been stored before
   * - `conflict`: the topic does not stand where it was expected to, or its document is another;
   *   nothing was changed
   * - `unchanged`: the field that was to be taken out of the table was not there
   */
  readonly outcome: "appended" | "duplicate" | "conflict" | "unchanged";
  /**
   * That of the publication; of the first with its key; or where the topic stands. Undefined
   * without log and table.
   */
  readonly position?: Position | undefined;
  /** What the field of the table was before. */
  readonly previous?: string | undefined;
}

/** What a topic holds, read in one go. */
export interface Reading {
  /**
   * Where it stands. A topic that nobody has published on yet has an epoch from its first reading
   * on.
   */
  readonly position: Position;
  /**
   * What the log has after the offset asked for, in order and without a hole; all of it, or the
   * last that are wanted.
   */
  readonly events: readonly Publication[];
  /** The table, where it was asked for. */
  readonly entries: ReadonlyMap<string, string>;
  /** The document, where it was asked for, and there is one that is not known already. */
  readonly document?: Document | undefined;
  /** The document is the one that is known. */
  readonly isKnown?: true | undefined;
}

export interface ReadOptions {
  /** Read the log after this offset, at most so many of the newest; undefined: not at all. */
  readonly log?: { readonly after: number; readonly most: number } | undefined;
  readonly table?: boolean | undefined;
  readonly document?: boolean | undefined;
  /** The id of the document that the asker has: if it is still that one, it need not be sent. */
  readonly known?: string | undefined;
  /**
   * How long the topic is remembered from now on when nobody touches it, if this reading is the
   * first that is heard of it.
   */
  readonly ttlMs: number;
}

/**
 * An instance's end of a broker. All promises reject with UNAVAILABLE, within a second, while the
 * store cannot be reached.
 */
export interface BrokerLink {
  /**
   * Whether what is published arrives, as far as is known: commands are answered, and announcements
   * come through.
   */
  readonly isHealthy: boolean;
  /**
   * `id` names the publication, and no other ever. On a topic without log and table it says
   * nothing, and may be empty.
   */
  publish(topic: string, id: string, body: string, options?: AppendOptions): Promise<Appended>;
  /**
   * Resolves when everything published from now on will be announced; or rejects, and then it is
   * not subscribed. A subscription outlives reconnections of the link, which are followed by
   * `onDoubt`. Subscribing again is the same subscription.
   */
  subscribe(topic: string): Promise<void>;
  unsubscribe(topic: string): void;
  read(topic: string, options: ReadOptions): Promise<Reading>;
  /**
   * Where topics stand; undefined for one that the store does not know. Keeps those it knows from
   * expiring.
   */
  positions(topics: readonly string[]): Promise<(Position | undefined)[]>;
  /** The instances whose lease lasts, this one included. */
  instances(): Promise<ReadonlySet<string>>;
  /** Gives up the lease and everything else. No call of the instance follows. */
  close(): Promise<void>;
}
