import type { Link, Position } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";
import type { Logger } from "../observe/logger.js";

/**
 * A broker carries publications between the instances of a server and stores everything that
 * outlives one instance. The default, `memoryBroker`, needs no installation and serves a single
 * process. Several processes share a Redis through `redisBroker`.
 *
 * A broker works with topics. The broker announces each publication of a topic to every instance
 * that subscribes to the topic. A topic can also have:
 *
 * - a **log**: the latest publications, each with an offset, an id and the id of its predecessor.
 * - a **table**: fields with values. Every change of a field is a publication of the topic, so the
 *   table as read and the changes announced afterwards always fit together.
 * - a **document**: one string, which a publication replaces in the same atomic step. The string is
 *   stored and read, but not announced. The publication describes the change.
 *
 * This is the contract. `brokerContract` (in the tests) checks every implementation.
 *
 * 1. `publish` resolves with `appended` only after the store has accepted the publication. If the
 *    store cannot take the publication, `publish` rejects with UNAVAILABLE within a second. The
 *    publication may still have been stored. A caller that must know publishes again with the same
 *    key.
 * 2. All instances see the publications of a topic in the same order. Offsets count up by one, and
 *    each publication names its predecessor.
 * 3. A subscriber receives every publication in that order, including its own, **or** is told by
 *    `onDoubt` that some may be missing. No subscriber receives a publication that the store has
 *    not accepted.
 * 4. The store may lose publications, as Redis does after a failover or a restart from an old
 *    snapshot. The broker does not have to notice: ids are never reused, so an instance that checks
 *    the chain of predecessors notices the loss.
 * 5. The entries that an instance puts into tables are valid as long as the instance's lease. The
 *    broker renews the lease. `onGone` names the instances whose lease has expired, and
 *    `onForgotten` reports that the store has lost this instance's entries.
 * 6. A broker never throws into the event loop, whatever messages arrive and whatever the store
 *    contains.
 */
export interface Broker {
  /**
   * Connects an instance to the store and returns the link. `join` returns at once; the link
   * connects in the background and retries for as long as necessary.
   */
  join(instance: BrokerInstance): BrokerLink;
}

/** The broker's view of one instance of a server. */
export interface BrokerInstance {
  /** 128 random bits. No two instances share an id, and a restarted instance has a new id. */
  readonly id: string;
  /**
   * The name of the protocol that the instance serves. Topics of different protocols are separate,
   * even if they have the same name.
   */
  readonly protocol: string;
  readonly environment: ServerEnvironment;
  readonly logger: Logger;
  /** Receives a publication of a topic that the instance subscribes to. Must not throw. */
  receive(topic: string, publication: Publication): void;
  /**
   * Reports that announcements to this instance may have been lost. The instance then compares
   * positions with the store.
   */
  onDoubt(): void;
  /**
   * Reports instances that stopped without leaving: their leases have expired. Their table entries
   * are no longer valid.
   */
  onGone(instances: readonly string[]): void;
  /**
   * Reports that the store has lost some or all of this instance's table entries. The instance
   * writes them again.
   */
  onForgotten(): void;
}

export interface Publication {
  /**
   * The published string, which the broker does not parse. Empty if the publication only changes
   * the table.
   */
  readonly body: string;
  /**
   * The offset and id of the publication, and the id of its predecessor. Undefined if the topic has
   * neither a log nor a table.
   */
  readonly link?: Link | undefined;
  /** The change of the topic's table that this publication makes. */
  readonly entry?: TableEntry | undefined;
}

/** A field of a table and its new value. Without a value, the field is deleted. */
export interface TableEntry {
  readonly field: string;
  readonly value?: string | undefined;
}

export interface AppendOptions {
  /**
   * Stores the publication in the topic's log. The log holds the latest `size` publications and
   * expires `ttlMs` after the latest publication. Pass the same values for every publication of a
   * topic.
   */
  readonly log?: { readonly size: number; readonly ttlMs: number } | undefined;
  /**
   * Changes the topic's table. The table expires `ttlMs` after the last use of its topic: a
   * publication, a reading, or a request for the topic's position.
   */
  readonly table?: { readonly entry: TableEntry; readonly ttlMs: number } | undefined;
  /**
   * An idempotency key of at most 128 characters. A second publication with the same key on the
   * same topic within ten minutes changes nothing. Requires a log or a table.
   */
  readonly key?: string | undefined;
  /** Publishes only if this is the topic's current position. Requires a log or a table. */
  readonly expected?: Pick<Position, "offset" | "id"> | undefined;
  /** Replaces the topic's document. Requires a log. */
  readonly document?: DocumentChange | undefined;
}

export interface DocumentChange {
  readonly text: string;
  /**
   * Replaces the document only if the publication with this id stored the current document. An
   * empty id means that the topic must have no document.
   */
  readonly expected: string;
  /**
   * The topic and its document expire this many milliseconds after the last use of the topic, or
   * later.
   */
  readonly ttlMs: number;
}

/** A topic's document. The id is that of the publication that stored the text. */
export interface Document {
  readonly id: string;
  readonly text: string;
}

/** The result of `publish`. */
export interface Appended {
  /**
   * - `appended`: the publication was stored and announced.
   * - `duplicate`: a publication with the same key was stored before. Nothing changed.
   * - `conflict`: the topic is not at the expected position, or has another document than expected.
   *   Nothing changed.
   * - `unchanged`: the table field to be deleted does not exist. Nothing changed.
   */
  readonly outcome: "appended" | "duplicate" | "conflict" | "unchanged";
  /**
   * The position of the publication (`appended`), of the first publication with its key
   * (`duplicate`), or of the topic (otherwise). Undefined if the topic has neither a log nor a
   * table.
   */
  readonly position?: Position | undefined;
  /**
   * The value that the changed table field had before. Undefined if nothing was changed or the
   * field is new.
   */
  readonly previous?: string | undefined;
}

/** The content of a topic, read in one atomic step. */
export interface Reading {
  /** The topic's current position. The first reading of an unknown topic starts an epoch. */
  readonly position: Position;
  /**
   * The publications after the requested offset that the log still holds, or the latest `most` of
   * them, in order and without a gap. Empty if the log was not requested.
   */
  readonly events: readonly Publication[];
  /** The table, if it was requested; otherwise empty. */
  readonly entries: ReadonlyMap<string, string>;
  /** The document, if it was requested, exists and is not already known to the reader. */
  readonly document?: Document | undefined;
  /** True if the document is the one that the reader already knows. */
  readonly isKnown?: true | undefined;
}

export interface ReadOptions {
  /**
   * Reads the latest `most` publications after the offset `after`. If undefined, the log is not
   * read.
   */
  readonly log?: { readonly after: number; readonly most: number } | undefined;
  readonly table?: boolean | undefined;
  readonly document?: boolean | undefined;
  /**
   * The id of the document that the reader already has. If the document is still the same, its text
   * is not sent.
   */
  readonly known?: string | undefined;
  /**
   * How long the store remembers the topic if the topic is not used again, in milliseconds. Only
   * the first reading of an unknown topic sets this time.
   */
  readonly ttlMs: number;
}

/**
 * One instance's connection to a broker. While the store cannot be reached, all promises except
 * that of `close` reject with UNAVAILABLE within a second.
 */
export interface BrokerLink {
  /** Whether the link works, as far as is known: commands are answered and announcements arrive. */
  readonly isHealthy: boolean;
  /**
   * Publishes `body` on a topic. `id` must never be used for another publication. On a topic with
   * neither a log nor a table, the id is ignored and may be empty.
   */
  publish(topic: string, id: string, body: string, options?: AppendOptions): Promise<Appended>;
  /**
   * Resolves when every later publication of the topic will be announced. If the promise rejects,
   * the topic is not subscribed. A subscription survives reconnects of the link, which are followed
   * by `onDoubt`. Subscribing twice makes one subscription.
   */
  subscribe(topic: string): Promise<void>;
  unsubscribe(topic: string): void;
  read(topic: string, options: ReadOptions): Promise<Reading>;
  /**
   * Returns the current position of each topic, or undefined for a topic that the store does not
   * know. Renews the expiry of the known topics.
   */
  positions(topics: readonly string[]): Promise<(Position | undefined)[]>;
  /** Returns the instances with a valid lease, including this one. */
  instances(): Promise<ReadonlySet<string>>;
  /** Releases the lease and disconnects. The instance makes no further calls. */
  close(): Promise<void>;
}
