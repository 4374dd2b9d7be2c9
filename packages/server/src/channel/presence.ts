import type { PresenceMember, RichValue, ServerMessage } from "@holdfast/protocol";
import type { Cancel, Environment } from "../environment.js";
import { Expiring } from "../expiring.js";
import { Frame } from "../transport/frame.js";

/** Joins and leaves within this time travel together: a herd that comes back costs each member a few frames, not thousands. */
const BATCH_MS = 200;

/** What the list of a channel may take on the wire, so that a snapshot fits what a connection may be owed. */
const MAX_LIST_BYTES = 262_144;

export interface PresenceSettings {
  readonly environment: Environment;
  /** How long a user stays present after the last device has left. */
  readonly graceMs: number;
  /** How many users are listed; the others are only counted. */
  readonly mostListed: number;
}

type Lists = Pick<(ServerMessage & { type: "presence" })["data"], "joined" | "updated" | "left">;

/** A user as others read it; two are the same when their texts are. */
interface Entry {
  readonly member: PresenceMember;
  readonly text: string;
}

interface User {
  readonly devices: Set<string>;
  /** What a client of the user has said last, for the application to decide by when another device joins. */
  said: unknown;
  /** What others see; a user without it is not present, for all who watch in silence. */
  data: RichValue | undefined;
  /** The user as others read it, kept until it changes. */
  entry: Entry | undefined;
}

/**
 * Who is on one channel: users, with their devices beneath. What the members were told is remembered apart from what is
 * true; the difference leaves in batches, and a snapshot is what the others have been told, so what follows it fits.
 */
export class Presence {
  readonly #wire: string;
  readonly #settings: PresenceSettings;
  readonly #deliver: (frame: Frame) => void;
  readonly #onEmpty: () => void;
  readonly #users = new Map<string, User>();
  readonly #leaving: Expiring<string>;
  /** What the members were told, by user. */
  #told = new Map<string, Entry>();
  #toldCount = 0;
  #snapshot: Frame | undefined;
  #cancelBatch: Cancel | undefined;

  constructor(wire: string, settings: PresenceSettings, deliver: (frame: Frame) => void, onEmpty: () => void) {
    this.#wire = wire;
    this.#settings = settings;
    this.#deliver = deliver;
    this.#onEmpty = onEmpty;
    this.#leaving = new Expiring(settings.environment, settings.graceMs, (userId) => this.#leave(userId));
  }

  /** How many users are present, without listing them. */
  get count(): number {
    let count = 0;
    for (const { data } of this.#users.values()) if (data) count++;
    return count;
  }

  users(): { userId: string; devices: string[]; data: RichValue }[] {
    return [...this.#users].flatMap(([userId, { devices, data }]) =>
      data ? [{ userId, devices: [...devices], data }] : [],
    );
  }

  arrive(userId: string, deviceId: string): void {
    const user = this.#users.get(userId) ?? { devices: new Set(), said: undefined, data: undefined, entry: undefined };
    this.#users.set(userId, user);
    // Back in time: the devices that had left are now known to be gone, or are this one.
    if (this.#leaving.delete(userId)) user.devices.clear();
    user.devices.add(deviceId);
    this.#changed(user);
  }

  /** The last device stays listed through the grace: whoever reloads a page flickers for nobody. */
  depart(userId: string, deviceId: string): void {
    const user = this.#users.get(userId);
    if (!user?.devices.has(deviceId)) return;
    if (user.devices.size === 1) {
      if (this.#settings.graceMs > 0) this.#leaving.add(userId);
      else this.#leave(userId);
      return;
    }
    user.devices.delete(deviceId);
    this.#changed(user);
  }

  said(userId: string): unknown {
    return this.#users.get(userId)?.said;
  }

  /** What others see of a user from now on; undefined: nothing. */
  set(userId: string, data: RichValue | undefined, said: unknown): void {
    const user = this.#users.get(userId);
    if (!user) return;
    user.said = said;
    user.data = data;
    this.#changed(user);
  }

  /** What the members of the channel have been told so far; the same bytes for everyone who joins now. */
  get snapshot(): Frame {
    const joined = [...this.#told.values()].map(({ member }) => member);
    return (this.#snapshot ??= presenceFrame(this.#wire, "snapshot", { ...nobody, joined }, this.#toldCount));
  }

  close(): void {
    this.#leaving.clear();
    this.#cancelBatch?.();
    this.#cancelBatch = undefined;
  }

  #leave(userId: string): void {
    this.#users.delete(userId);
    this.#schedule();
  }

  #changed(user: User): void {
    user.entry = undefined;
    this.#schedule();
  }

  #schedule(): void {
    this.#cancelBatch ??= this.#settings.environment.after(BATCH_MS, () => {
      this.#cancelBatch = undefined;
      this.#tell();
      if (this.#users.size === 0) this.#onEmpty();
    });
  }

  /** Tells the members what is different from what they were told. */
  #tell(): void {
    const now = new Map<string, Entry>();
    let count = 0;
    let bytes = 0;
    for (const [userId, user] of this.#users) {
      if (!user.data) continue;
      count++;
      const entry = (user.entry ??= entryOf(userId, user.devices, user.data));
      bytes += entry.text.length;
      if (now.size < this.#settings.mostListed && bytes <= MAX_LIST_BYTES) now.set(userId, entry);
    }
    const joined: PresenceMember[] = [];
    const updated: PresenceMember[] = [];
    for (const [userId, { member, text }] of now) {
      const told = this.#told.get(userId);
      if (!told) joined.push(member);
      else if (told.text !== text) updated.push(member);
    }
    const left = [...this.#told.keys()].filter((userId) => !now.has(userId));
    if (joined.length + updated.length + left.length === 0 && count === this.#toldCount) return;
    this.#told = now;
    this.#toldCount = count;
    this.#snapshot = undefined;
    this.#deliver(presenceFrame(this.#wire, "change", { joined, updated, left }, count));
  }
}

const nobody: Lists = { joined: [], updated: [], left: [] };

export function presenceFrame(channel: string, kind: "snapshot" | "change", lists = nobody, count = 0): Frame {
  const message: ServerMessage = { type: "presence", channel, data: { kind, ...lists, count } };
  return new Frame(JSON.stringify(message));
}

function entryOf(userId: string, devices: ReadonlySet<string>, { data, meta }: RichValue): Entry {
  const member: PresenceMember = { user_id: userId, devices: [...devices], data, ...(meta !== undefined && { meta }) };
  return { member, text: JSON.stringify(member) };
}
