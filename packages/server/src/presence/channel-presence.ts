import type { Cancel, PresenceMember, ServerMessage } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";
import { Frame } from "../transport/frame.js";
import { type RosterEntry, type Listing, PresenceRoster } from "./presence-roster.js";
import type { Subscriber } from "../log/subscriber.js";

/**
 * Joins and leaves within this time travel together: a herd that comes back costs each member a few
 * frames, not thousands.
 */
const BATCH_MS = 200;

export interface PresenceSettings {
  readonly environment: ServerEnvironment;
  /** How long a device stays present after it has left. */
  readonly graceMs: number;
  /** How many users are listed; the others are only counted. */
  readonly mostListed: number;
  /**
   * What the list may take on the wire: a part of what a connection may be owed, since a snapshot
   * holds all of it.
   */
  readonly mostBytes: number;
}

type Lists = Pick<(ServerMessage & { type: "presence" })["data"], "joined" | "updated" | "left">;

/**
 * Who is on one channel: users, with their devices beneath. What the members were told is
 * remembered apart from what is true; the difference leaves in batches, and a snapshot is what the
 * others have been told, so what follows it fits.
 *
 * A member that is owed a lot already is told nothing more for now; when it has caught up it gets a
 * snapshot instead. Nobody is disconnected for the size of a crowd.
 */
export class PresenceFeed {
  readonly roster = new PresenceRoster();
  readonly #wire: string;
  readonly #settings: PresenceSettings;
  readonly #members: () => Iterable<Subscriber>;
  readonly #onQuiet: () => void;
  /** Members who have to be told everything again. */
  readonly #behind = new Set<Subscriber>();
  /** What the members were told, by user. */
  #told = new Map<string, RosterEntry>();
  #toldCount = 0;
  #snapshot: Frame | undefined;
  #cancelBatch: Cancel | undefined;

  /** `onQuiet`: everything was told, and it may be that nobody needs it any more. */
  constructor(wire: string, settings: PresenceSettings, members: () => Iterable<Subscriber>, onQuiet: () => void) {
    this.#wire = wire;
    this.#settings = settings;
    this.#members = members;
    this.#onQuiet = onQuiet;
  }

  /** Whether there is nobody to tell of and nothing to tell. */
  get isEmpty(): boolean {
    return this.roster.isEmpty && this.#behind.size === 0;
  }

  /** What an instance lists, or does not list any more. */
  apply(instance: string, userId: string, deviceId: string, listing: Listing | undefined): void {
    if (this.roster.apply(instance, userId, deviceId, listing)) this.#schedule();
  }

  /** What is known by now needs no telling: there is nobody yet who knows less. */
  begin(): void {
    this.#cancelBatch?.();
    this.#cancelBatch = undefined;
    const { entries, count } = this.#listed();
    this.#told = entries;
    this.#toldCount = count;
  }

  /** A member has left: nothing has to be made up for any more. */
  forget(member: Subscriber): void {
    this.#behind.delete(member);
  }

  /** A new member is told what the others have been told. */
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

  /** Tells the members what is different from what they were told. */
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

  /** The same bytes for everyone who is told everything now. */
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
