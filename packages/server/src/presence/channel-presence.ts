import type { Cancel, PresenceMember, ServerMessage } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";
import { Frame } from "../transport/frame.js";
import { type RosterEntry, type Listing, PresenceRoster } from "./presence-roster.js";
import type { Subscriber } from "../log/subscriber.js";

/**
 * How long joins and leaves are collected before the members are told. If a thousand clients
 * reconnect together, each member gets a few frames instead of thousands.
 */
const BATCH_MS = 200;

export interface PresenceSettings {
  readonly environment: ServerEnvironment;
  /** How long a device stays listed after its connection has left the channel. Milliseconds. */
  readonly graceMs: number;
  /** The most users that a frame lists. Further users are only counted. */
  readonly mostListed: number;
  /**
   * The most bytes that the list may take in a frame. A snapshot holds the whole list, so the limit
   * is a fraction of the bytes that may wait for a connection.
   */
  readonly mostBytes: number;
}

type Lists = Pick<(ServerMessage & { type: "presence" })["data"], "joined" | "updated" | "left">;

/**
 * Sends the presence of one channel to the channel's members on this instance: a snapshot to each
 * new member, then changes in batches. The roster knows which users are present; this class
 * remembers the list that the members were last sent, and each batch is the difference between the
 * two. A snapshot holds the list as last sent, so the changes that follow always fit.
 *
 * A member that reads too slowly gets no further changes. When the member's queue has drained, a
 * new snapshot follows. A member is never disconnected because a channel is crowded.
 */
export class PresenceFeed {
  readonly roster = new PresenceRoster();
  readonly #wire: string;
  readonly #settings: PresenceSettings;
  readonly #members: () => Iterable<Subscriber>;
  readonly #onQuiet: () => void;
  /** Members that read too slowly for a snapshot or a change, and wait for a new snapshot. */
  readonly #behind = new Set<Subscriber>();
  /** The list that the members were last sent, by user id. */
  #told = new Map<string, RosterEntry>();
  #toldCount = 0;
  #snapshot: Frame | undefined;
  #cancelBatch: Cancel | undefined;

  /**
   * `onQuiet` is called after each batch. The owner then checks whether the channel is still in
   * use.
   */
  constructor(wire: string, settings: PresenceSettings, members: () => Iterable<Subscriber>, onQuiet: () => void) {
    this.#wire = wire;
    this.#settings = settings;
    this.#members = members;
    this.#onQuiet = onQuiet;
  }

  /** True if no user is present and no member waits for a snapshot. */
  get isEmpty(): boolean {
    return this.roster.isEmpty && this.#behind.size === 0;
  }

  /**
   * Applies the listing of one device by one instance. If `listing` is undefined, the instance no
   * longer lists the device.
   */
  apply(instance: string, userId: string, deviceId: string, listing: Listing | undefined): void {
    if (this.roster.apply(instance, userId, deviceId, listing)) this.#schedule();
  }

  /**
   * Marks the current roster as already sent. Called when the store was read for the first time: no
   * member has received anything yet, so there is no change to send.
   */
  begin(): void {
    this.#cancelBatch?.();
    this.#cancelBatch = undefined;
    const { entries, count } = this.#listed();
    this.#told = entries;
    this.#toldCount = count;
  }

  /** A member has left the channel and needs no snapshot any more. */
  forget(member: Subscriber): void {
    this.#behind.delete(member);
  }

  /** Sends a new member the list that the other members have. */
  welcome(member: Subscriber): void {
    if (member.isBehind) this.#fallBehind(member);
    else member.deliver(this.#everything());
  }

  close(): void {
    this.#cancelBatch?.();
    this.#cancelBatch = undefined;
  }

  #listed(): { entries: Map<string, RosterEntry>; count: number } {
    return this.roster.listed(this.#settings.mostListed, this.#settings.mostBytes);
  }

  #fallBehind(member: Subscriber): void {
    this.#behind.add(member);
    this.#schedule();
  }

  #schedule(): void {
    this.#cancelBatch ??= this.#settings.environment.afterIdle(BATCH_MS, () => {
      this.#cancelBatch = undefined;
      this.#tell();
      this.#catchUp();
      this.#onQuiet();
    });
  }

  /** Sends the difference between the roster and the list that was last sent. */
  #tell(): void {
    const { entries, count } = this.#listed();
    const joined: PresenceMember[] = [];
    const updated: PresenceMember[] = [];
    for (const [userId, { member, text }] of entries) {
      const told = this.#told.get(userId);
      if (!told) joined.push(member);
      else if (told.text !== text) updated.push(member);
    }
    const left = [...this.#told.keys()].filter((userId) => !entries.has(userId));
    if (joined.length + updated.length + left.length === 0 && count === this.#toldCount) return;
    this.#told = entries;
    this.#toldCount = count;
    this.#snapshot = undefined;
    const frame = presenceFrame(this.#wire, "change", { joined, updated, left }, count);
    for (const member of this.#members()) {
      if (this.#behind.has(member) || member.isBehind) this.#fallBehind(member);
      else member.deliver(frame);
    }
  }

  #catchUp(): void {
    for (const member of this.#behind) {
      if (member.isBehind) {
        this.#schedule();
        continue;
      }
      this.#behind.delete(member);
      member.deliver(this.#everything());
    }
  }

  /** The snapshot, encoded once for all members that need one now. */
  #everything(): Frame {
    return (this.#snapshot ??= presenceFrame(
      this.#wire,
      "snapshot",
      { ...nobody, joined: [...this.#told.values()].map(({ member }) => member) },
      this.#toldCount,
    ));
  }
}

const nobody: Lists = { joined: [], updated: [], left: [] };

export function presenceFrame(channel: string, kind: "snapshot" | "change", lists = nobody, count = 0): Frame {
  const message: ServerMessage = { type: "presence", channel, data: { kind, ...lists, count } };
  return new Frame(JSON.stringify(message));
}
