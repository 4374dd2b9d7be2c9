import type { PresenceMember, RichValue, ServerMessage } from "@holdfast/protocol";
import type { Cancel, Environment } from "../environment.js";
import { Expiring } from "../expiring.js";
import { Frame } from "../transport/frame.js";
import type { Subscriber } from "./subscriber.js";

/** Joins and leaves within this time travel together: a herd that comes back costs each member a few frames, not thousands. */
const BATCH_MS = 200;

export interface PresenceSettings {
  readonly environment: Environment;
  /** How long a device stays present after it has left. */
  readonly graceMs: number;
  /** How many users are listed; the others are only counted. */
  readonly mostListed: number;
  /** What the list may take on the wire: a part of what a connection may be owed, since a snapshot holds all of it. */
  readonly mostBytes: number;
}

/** A device on the channel, or one that left a moment ago. */
interface Device {
  readonly id: string;
  readonly user: User;
  /** What its client has said last. */
  said: unknown;
  /** What others are to see, by this device; undefined: nothing. */
  shown: { readonly value: RichValue; readonly text: string } | undefined;
  /** Of what the devices of a user show the newest is seen. */
  at: number;
}

interface User {
  readonly id: string;
  readonly devices: Map<string, Device>;
  /** The user as others read it, kept until it changes. */
  entry: Entry | undefined;
}

/** Two are the same when their texts are. */
interface Entry {
  readonly member: PresenceMember;
  readonly text: string;
  readonly bytes: number;
}

type Lists = Pick<(ServerMessage & { type: "presence" })["data"], "joined" | "updated" | "left">;

/**
 * Who is on one channel: users, with their devices beneath. What the members were told is remembered apart from what is
 * true; the difference leaves in batches, and a snapshot is what the others have been told, so what follows it fits.
 *
 * A member that is owed a lot already is told nothing more for now; when it has caught up it gets a snapshot instead. Nobody
 * is disconnected for the size of a crowd.
 */
export class Presence {
  readonly #wire: string;
  readonly #settings: PresenceSettings;
  readonly #members: () => Iterable<Subscriber>;
  readonly #onEmpty: () => void;
  readonly #users = new Map<string, User>();
  readonly #leaving: Expiring<Device>;
  /** Members who have to be told everything again. */
  readonly #behind = new Set<Subscriber>();
  /** What the members were told, by user. */
  #told = new Map<string, Entry>();
  #toldCount = 0;
  #snapshot: Frame | undefined;
  #cancelBatch: Cancel | undefined;
  #changes = 0;

  constructor(wire: string, settings: PresenceSettings, members: () => Iterable<Subscriber>, onEmpty: () => void) {
    this.#wire = wire;
    this.#settings = settings;
    this.#members = members;
    this.#onEmpty = onEmpty;
    this.#leaving = new Expiring(settings.environment, settings.graceMs, (device) => this.#leave(device));
  }

  /** How many users are present, without listing them. */
  get count(): number {
    let count = 0;
    for (const user of this.#users.values()) if (shownBy(user)) count++;
    return count;
  }

  users(): { userId: string; devices: string[]; data: RichValue }[] {
    return [...this.#users.values()].flatMap((user) => {
      const data = shownBy(user)?.shown?.value;
      return data ? [{ userId: user.id, devices: [...user.devices.keys()], data }] : [];
    });
  }

  arrive(userId: string, deviceId: string): void {
    const user = this.#users.get(userId) ?? { id: userId, devices: new Map<string, Device>(), entry: undefined };
    this.#users.set(userId, user);
    const known = user.devices.get(deviceId);
    // Back in time: it was never away.
    if (known) return void this.#leaving.delete(known);
    user.devices.set(deviceId, { id: deviceId, user, said: undefined, shown: undefined, at: 0 });
    this.#changed(user);
  }

  /** It stays listed through the grace: whoever reloads a page flickers for nobody. */
  depart(userId: string, deviceId: string): void {
    const device = this.#users.get(userId)?.devices.get(deviceId);
    if (!device) return;
    if (this.#settings.graceMs > 0) this.#leaving.add(device);
    else this.#leave(device);
  }

  /** A member has left: nothing has to be made up for any more. */
  forget(member: Subscriber): void {
    this.#behind.delete(member);
  }

  /** What a client of the user has said last, on whatever device. */
  said(userId: string): unknown {
    const devices = [...(this.#users.get(userId)?.devices.values() ?? [])];
    return devices.sort((a, b) => b.at - a.at).find(({ said }) => said !== undefined)?.said;
  }

  /** What others see of a user from now on, by this device; undefined: nothing. */
  set(userId: string, deviceId: string, value: RichValue | undefined, said: unknown): void {
    const device = this.#users.get(userId)?.devices.get(deviceId);
    if (!device) return;
    const text = JSON.stringify(value);
    device.said = said;
    // A device that only repeats itself, as after a reconnect, is not newer than another that has said something since.
    if (value && device.shown?.text === text) return;
    device.shown = value && { value, text };
    device.at = ++this.#changes;
    this.#changed(device.user);
  }

  /** A new member is told what the others have been told. */
  welcome(member: Subscriber): void {
    if (member.isBehind) this.#fallBehind(member);
    else member.deliver(this.#everything());
  }

  close(): void {
    this.#leaving.clear();
    this.#cancelBatch?.();
    this.#cancelBatch = undefined;
  }

  #leave(device: Device): void {
    const { user } = device;
    user.devices.delete(device.id);
    if (user.devices.size === 0) this.#users.delete(user.id);
    this.#changed(user);
  }

  #changed(user: User): void {
    user.entry = undefined;
    this.#schedule();
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
      if (this.#users.size === 0 && this.#behind.size === 0) this.#onEmpty();
    });
  }

  /** Tells the members what is different from what they were told. */
  #tell(): void {
    const { now, count } = this.#listed();
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
    const frame = presenceFrame(this.#wire, "change", { joined, updated, left }, count);
    for (const member of this.#members()) {
      if (this.#behind.has(member) || member.isBehind) this.#fallBehind(member);
      else member.deliver(frame);
    }
  }

  /** Who is to be on the list: the first who came, as many as fit. */
  #listed(): { now: Map<string, Entry>; count: number } {
    const { mostListed, mostBytes } = this.#settings;
    const now = new Map<string, Entry>();
    let count = 0;
    let bytes = 0;
    for (const user of this.#users.values()) {
      const data = shownBy(user)?.shown?.value;
      if (!data) continue;
      count++;
      const entry = (user.entry ??= entryOf(user, data));
      bytes += entry.bytes;
      if (now.size < mostListed && bytes <= mostBytes) now.set(user.id, entry);
    }
    return { now, count };
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

/** The device whose word counts: of those that show something, the newest. */
function shownBy({ devices }: User): Device | undefined {
  let newest: Device | undefined;
  for (const device of devices.values()) if (device.shown && device.at > (newest?.at ?? 0)) newest = device;
  return newest;
}

function entryOf({ id, devices }: User, { data, meta }: RichValue): Entry {
  const member: PresenceMember = {
    user_id: id,
    devices: [...devices.keys()],
    data,
    ...(meta !== undefined && { meta }),
  };
  const text = JSON.stringify(member);
  return { member, text, bytes: Buffer.byteLength(text) };
}

const nobody: Lists = { joined: [], updated: [], left: [] };

export function presenceFrame(channel: string, kind: "snapshot" | "change", lists = nobody, count = 0): Frame {
  const message: ServerMessage = { type: "presence", channel, data: { kind, ...lists, count } };
  return new Frame(JSON.stringify(message));
}
