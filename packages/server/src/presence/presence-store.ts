import type { ChannelId, RichValue } from "@holdfast/protocol";
import * as z from "zod/mini";
import type { BrokerLink } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import { ExpiryQueue } from "../async/expiry-queue.js";
import { RetryQueue } from "../async/retry-queue.js";
import type { LocalPresence, LocalDevice } from "./local-presence.js";
import { Follower, type TopicReading } from "../log/follower.js";
import type { PresenceFeed } from "./channel-presence.js";
import type { Listing, StoredClaim } from "./presence-roster.js";
import type { Topics } from "../log/topics.js";

/**
 * How long the store keeps a channel's table. While an instance follows the table, the lease is
 * renewed four times per minute.
 */
const TTL_MS = 600_000;
/** How long a closing server waits until all listings are marked as leaving. */
const CLOSE_MS = 1_000;
/**
 * The least time that the listing of an instance that is gone is kept, even if the grace period is
 * zero. A failed removal is retried after this time.
 */
const ORPHAN_MS = 1_000;

/** The connection to the other instances, as presence uses it. */
export interface PresenceLink {
  /** The id of this instance. */
  readonly id: string;
  readonly link: BrokerLink;
  readonly topics: Topics;
  readonly environment: ServerEnvironment;
}

export interface PresenceStoreParts extends PresenceLink {
  readonly channel: ChannelId;
  readonly graceMs: number;
  readonly presence: PresenceFeed;
  readonly localPresence: LocalPresence;
  /**
   * Called when a listing was stored or removed, because it may have been the instance's last
   * listing on the channel.
   */
  onSettled(): void;
}

const rich = z.object({ data: z.unknown(), meta: z.optional(z.unknown()) });
const stored = z.object({
  since: z.number(),
  came: z.number(),
  at: z.number(),
  shown: z.optional(rich),
  /** True if the client's data is equal to `shown`, so the data is stored once. */
  said: z.optional(z.union([z.literal(true), rich])),
  /** The instance has closed. The device has left or is moving to another instance. */
  left: z.optional(z.literal(true)),
});
const name = z.tuple([z.string(), z.string(), z.string()]);

/** One field of the table: which instance lists which device, and the listing. */
export interface Listed {
  readonly instance: string;
  readonly userId: string;
  readonly deviceId: string;
  readonly listing: Listing;
  readonly hasLeft: boolean;
}

/**
 * Shares the presence of one channel between instances, through a table in the broker. Each
 * instance writes the listings of its own devices and follows the table to read all others. A
 * listing of this instance takes effect only when the broker returns the listing, so all instances
 * apply the changes in the same order.
 *
 * `LocalPresence` says which devices this instance lists. `PresenceRoster` merges the listings that
 * this class reads.
 */
export class PresenceStore {
  readonly follower: Follower;
  readonly #parts: PresenceStoreParts;
  readonly #topic: string;
  readonly #retries: RetryQueue<string>;
  /** The known content of the table, by field. */
  readonly #texts = new Map<string, string>();
  /**
   * The values that this instance has written, by field. An empty string means that the stored
   * value is unknown.
   */
  readonly #written = new Map<string, string>();
  /**
   * Listings of instances that are gone, removed after the grace period. The device may be moving
   * to another instance.
   */
  readonly #orphans: ExpiryQueue<string>;
  /** Set when the server closes. Listings are then marked as `left` instead of removed. */
  #isLeaving = false;
  #isLoaded = false;

  constructor(parts: PresenceStoreParts) {
    this.#parts = parts;
    const { channel, link, environment, topics, graceMs } = parts;
    this.#topic = presenceTopic(channel);
    this.#retries = new RetryQueue(environment, (field) => this.#put(field));
    this.#orphans = new ExpiryQueue(environment, Math.max(graceMs, ORPHAN_MS), (field) => this.#takeOut(field));
    this.follower = new Follower({
      topic: this.#topic,
      link,
      environment,
      log: {
        load: () => this.#load(),
        deliver: ({ entry }) => {
          if (entry) this.#apply(entry.field, entry.value);
          return true;
        },
        // A table keeps no history, so the table is read again after a gap.
        knows: () => false,
      },
    });
    topics.follow(this.#topic, this.follower);
  }

  /** True if this instance has nothing stored for the channel. */
  get isSettled(): boolean {
    return this.#written.size === 0;
  }

  /** This instance's listing of a device has changed and must be stored. */
  list({ userId, deviceId }: LocalDevice): void {
    this.#retries.enqueue(JSON.stringify([this.#parts.id, userId, deviceId]));
  }

  /** These instances are gone, so their listings are removed after the grace period. */
  gone(instances: readonly string[]): void {
    for (const [field] of this.#texts) if (instances.includes(instanceOf(field))) this.#orphans.add(field);
  }

  /** The store has lost some of this instance's listings, so all of them are stored again. */
  putAgain(): void {
    const fields = [...this.#written.keys()];
    this.#written.clear();
    this.#retries.enqueueAll(fields);
  }

  /**
   * The server closes. Its listings are marked as leaving, because the devices may reconnect to
   * other instances.
   */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    for (const attending of this.#parts.localPresence.all()) this.list(attending);
    await this.#retries.drained(CLOSE_MS);
  }

  close(): void {
    this.#parts.topics.unfollow(this.#topic);
    this.follower.close();
    this.#retries.close();
    this.#orphans.clear();
  }

  async #put(field: string): Promise<void> {
    const { link, environment, localPresence } = this.#parts;
    const [, userId, deviceId] = JSON.parse(field) as [string, string, string];
    const attending = localPresence.get(userId, deviceId);
    const value = attending && this.#encode(attending.listing);
    if (value === this.#written.get(field)) return;
    // Until the broker answers, the stored value is unknown.
    this.#written.set(field, "");
    const table = { entry: { field, value }, ttlMs: TTL_MS };
    await link.publish(this.#topic, environment.newId(), "", { table });
    if (value === undefined) this.#written.delete(field);
    else this.#written.set(field, value);
    this.#parts.onSettled();
  }

  async #load(): Promise<TopicReading> {
    const { link, id } = this.#parts;
    const { position, entries, dead } = await readPresence(link, this.#topic, id);
    return {
      position,
      apply: () => {
        for (const field of [...this.#texts.keys()]) if (!entries.has(field)) this.#apply(field, undefined);
        for (const [field, text] of entries) this.#apply(field, text);
        for (const field of dead) this.#orphans.add(field);
        for (const attending of this.#parts.localPresence.all()) {
          const field = JSON.stringify([id, attending.userId, attending.deviceId]);
          if (!entries.has(field)) this.#heal(field);
        }
        if (!this.#isLoaded) this.#parts.presence.begin();
        this.#isLoaded = true;
      },
    };
  }

  #apply(field: string, text: string | undefined): void {
    const { id, presence, localPresence } = this.#parts;
    if (this.#texts.get(field) === text) return;
    const listed = readListed(field, text);
    const { instance, userId, deviceId } = listed ?? readName(field) ?? {};
    if (text === undefined) this.#texts.delete(field);
    else this.#texts.set(field, text);
    if (listed?.hasLeft) this.#orphans.add(field);
    else this.#orphans.delete(field);
    if (instance === undefined || userId === undefined || deviceId === undefined) return;
    presence.apply(instance, userId, deviceId, listed?.listing);
    // Another instance may have removed a listing because this instance seemed dead. Store it
    // again, or remove a leftover.
    if (instance === id && (text === undefined) === (localPresence.get(userId, deviceId) !== undefined))
      this.#heal(field);
  }

  #heal(field: string): void {
    if (this.#retries.isPending(field)) return;
    this.#written.set(field, "");
    this.#retries.enqueue(field);
  }

  #takeOut(field: string): void {
    const table = { entry: { field }, ttlMs: TTL_MS };
    const { link, environment } = this.#parts;
    link.publish(this.#topic, environment.newId(), "", { table }).catch(() => {
      // The broker cannot be reached. The removal is tried again later.
      if (this.#texts.has(field)) this.#orphans.add(field);
    });
  }

  #encode({ since, came, at, shown, said }: Listing): string {
    const rich = said && this.#richOf(said);
    const isShown = rich !== undefined && JSON.stringify(rich) === shown?.text;
    return JSON.stringify({
      since,
      came,
      at,
      ...(shown && { shown: shown.value }),
      ...(rich && { said: isShown ? true : rich }),
      ...(this.#isLeaving && { left: true }),
    });
  }

  #richOf(said: StoredClaim): RichValue | undefined {
    if ("rich" in said) return said.rich;
    const sent = this.#parts.channel.contract.presence?.send(said.value, "data");
    return sent?.ok ? sent.value : undefined;
  }
}

export function presenceTopic({ wire }: ChannelId): string {
  return `$presence:${wire}`;
}

/** Reads a presence table. `dead` names the fields whose instance is gone. */
export async function readPresence(link: BrokerLink, topic: string, id: string) {
  const { position, entries } = await link.read(topic, { table: true, ttlMs: TTL_MS });
  const isForeign = [...entries.keys()].some((field) => instanceOf(field) !== id);
  // The instances are read after the table, so an instance that has written a field by then is in
  // the answer if the instance is alive.
  const alive = isForeign ? await link.instances() : new Set([id]);
  return {
    position,
    entries: new Map(entries),
    dead: [...entries.keys()].filter((field) => !alive.has(instanceOf(field))),
  };
}

export function readListed(field: string, text: string | undefined): Listed | undefined {
  const named = readName(field);
  if (text === undefined || !named) return undefined;
  const { success, data } = stored.safeParse(parsed(text));
  if (!success) return undefined;
  const { since, came, at, left } = data;
  const shown = data.shown as RichValue | undefined;
  const said = data.said === true ? shown : (data.said as RichValue | undefined);
  const listing: Listing = {
    since,
    came,
    at,
    said: said && { rich: said },
    shown: shown && { value: shown, text: JSON.stringify(shown) },
  };
  return { ...named, listing, hasLeft: left === true };
}

function readName(field: string): Pick<Listed, "instance" | "userId" | "deviceId"> | undefined {
  const { success, data } = name.safeParse(parsed(field));
  return success ? { instance: data[0], userId: data[1], deviceId: data[2] } : undefined;
}

function instanceOf(field: string): string {
  return readName(field)?.instance ?? "";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
