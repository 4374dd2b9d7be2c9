import type { Position } from "@holdfast/protocol";
import type { ClientSession } from "../session/client-session.js";
import type { Sessions } from "../session/sessions.js";
import type { DeviceTables } from "./device-tables.js";
import { type DeviceHolder, readHolder } from "./instance-messages.js";

/**
 * This instance's view of one device: the value that was written to the user's table, and the
 * positions of the writes.
 */
export interface Claim {
  readonly userId: string;
  readonly deviceId: string;
  /** The connection for which the device was last claimed. */
  connection: object | undefined;
  /** The position of that claim in the user's table. */
  claimedAt: Position | undefined;
  /** The position at which this instance last saw the table. */
  seenAt: Position | undefined;
  /**
   * The value that was last written; undefined if this instance knows of no field of its own, and
   * `UNKNOWN` if the field may or may not exist.
   */
  written: string | undefined;
  /**
   * True if a claim failed or was lost. Another instance may have claimed the device since, so the
   * device must not simply be claimed again.
   */
  isLate: boolean;
  /**
   * A new session that was not checked yet against the limit of devices. Another device may have to
   * leave for the new one.
   */
  newcomer: ClientSession | undefined;
}

export type Settled =
  | { readonly kind: "settled" }
  /** Another instance has the device. */
  | { readonly kind: "lost"; readonly session: ClientSession }
  /** `before` is the previous holder, if it was another instance. */
  | {
      readonly kind: "claimed";
      readonly session: ClientSession;
      readonly before: DeviceHolder | undefined;
      readonly position: Position;
    };

/** The table's position after the change, and the previous holder if it was another instance. */
interface Changed {
  readonly position: Position;
  readonly before: DeviceHolder | undefined;
}

/** Marks a written value as unknown: the field may or may not exist. */
const UNKNOWN = "";

/**
 * Asks the instance that holds a device whether that session is still connected. Rejects if
 * the instance does not answer.
 */
type IsThere = (holder: DeviceHolder, userId: string) => Promise<boolean>;

/** How many conflicts one attempt tolerates. After that, the retry queue tries again later. */
const MOST_CONFLICTS = 20;

/**
 * Writes the devices of this instance to the table of each user. A new connection claims the device
 * unconditionally, whichever instance holds the device. A lost connection or an ended session is
 * written only if no other instance holds the device; otherwise the write would undo the newer
 * claim of that instance. A claim is late if an earlier attempt failed or was lost. A late claim
 * replaces another instance's claim only if `#isOlder` allows this.
 *
 * `DeviceDirectory` decides which sessions end as a consequence; `DeviceTables` reads and writes
 * the tables.
 */
export class DeviceClaims {
  readonly #claims = new Map<string, Claim>();
  readonly #id: string;
  readonly #sessions: Sessions;
  readonly #tables: DeviceTables;
  readonly #isThere: IsThere;

  constructor(id: string, sessions: Sessions, tables: DeviceTables, isThere: IsThere) {
    this.#id = id;
    this.#isThere = isThere;
    this.#sessions = sessions;
    this.#tables = tables;
  }

  get size(): number {
    return this.#claims.size;
  }

  get(userId: string, deviceId: string): Claim | undefined {
    return this.#claims.get(keyOf(userId, deviceId));
  }

  of(userId: string, deviceId: string): Claim {
    const key = keyOf(userId, deviceId);
    let claim = this.#claims.get(key);
    if (!claim) {
      claim = {
        userId,
        deviceId,
        connection: undefined,
        claimedAt: undefined,
        seenAt: undefined,
        written: undefined,
        isLate: false,
        newcomer: undefined,
      };
      this.#claims.set(key, claim);
    }
    return claim;
  }

  /** The users who have a device on this instance. */
  users(): string[] {
    return [...new Set([...this.#claims.values()].map(({ userId }) => userId))];
  }

  /** The store has lost the written values. Returns the claims to write again. */
  forget(): Claim[] {
    const lost = [...this.#claims.values()];
    for (const claim of lost) {
      claim.connection = undefined;
      claim.written = UNKNOWN;
      claim.isLate = true;
    }
    return lost;
  }

  /**
   * Returns the claims whose table has changed since this instance last read the table. Another
   * instance may have overwritten their values.
   */
  changed(positions: ReadonlyMap<string, Position | undefined>): Claim[] {
    return [...this.#claims.values()].filter((claim) => {
      const { userId, seenAt } = claim;
      if (!positions.has(userId)) return false;
      const position = positions.get(userId);
      if (seenAt && position?.epoch === seenAt.epoch && position.id === seenAt.id) return false;
      claim.written = UNKNOWN;
      claim.seenAt = undefined;
      return true;
    });
  }

  /**
   * Writes the current state of the device to the table. Rejects if the broker cannot be reached.
   */
  async settle(claim: Claim): Promise<Settled> {
    const { userId, deviceId } = claim;
    const session = this.#sessions.device(userId, deviceId);
    if (!session) return this.#withdraw(claim);
    const { connection } = session;
    const holder = {
      instance: this.#id,
      sessionId: session.id,
      connectedAt: session.connectedAt.getTime(),
      claimedAt: connection?.connectedAt ?? session.lastActiveAt.getTime(),
      connected: session.isConnected,
    };
    const isNew = connection !== undefined && connection !== claim.connection;
    if (!isNew && JSON.stringify(holder) === claim.written) return { kind: "settled" };
    const changed = await (isNew && !claim.isLate
      ? this.#claim(claim, holder)
      : this.#change(claim, holder, async (other) => isNew && (await this.#isOlder(other, holder, session))));
    if (!changed) return { kind: "lost", session };
    const { position, before } = changed;
    claim.written = JSON.stringify(holder);
    claim.seenAt = position;
    claim.isLate = false;
    claim.connection = connection;
    if (!isNew) return { kind: "settled" };
    claim.claimedAt = position;
    claim.newcomer = session;
    return { kind: "claimed", session, before, position };
  }

  /**
   * Claims the device unconditionally. If the attempt fails, the outcome is unknown, so the next
   * attempt is late.
   */
  async #claim(claim: Claim, holder: Omit<DeviceHolder, "deviceId">): Promise<Changed> {
    claim.isLate = true;
    const { position, previous } = await this.#tables.put(claim.userId, claim.deviceId, holder);
    const before = readHolder(claim.deviceId, previous);
    return { position: position!, before: before?.instance === this.#id ? undefined : before };
  }

  /**
   * True if a late claim may replace the claim of another instance: the other holder has no
   * connection, the client left that session for this one, the other claim is older, or that
   * session is no longer connected. The wall clocks of two instances are compared only if both have
   * a connection.
   */
  async #isOlder(
    other: DeviceHolder,
    holder: Omit<DeviceHolder, "deviceId">,
    session: ClientSession,
  ): Promise<boolean> {
    if (!other.connected || other.sessionId === session.introduced || other.claimedAt < holder.claimedAt) return true;
    return !(await this.#isThere(other, session.userId!));
  }

  async #withdraw(claim: Claim): Promise<Settled> {
    // A claim that failed may still have been stored.
    if (claim.written !== undefined || claim.isLate) await this.#change(claim, undefined, () => Promise.resolve(false));
    claim.written = undefined;
    claim.isLate = false;
    // A client may have connected with the device meanwhile. The claim is then still in use and
    // must stay the same object.
    if (!this.#sessions.device(claim.userId, claim.deviceId)) this.#claims.delete(keyOf(claim.userId, claim.deviceId));
    return { kind: "settled" };
  }

  /**
   * Changes the device's field if the field is free or belongs to this instance, or if `mayTake`
   * allows the change. Returns undefined if another instance keeps the device.
   */
  async #change(
    claim: Claim,
    holder: Omit<DeviceHolder, "deviceId"> | undefined,
    mayTake: (other: DeviceHolder) => Promise<boolean>,
  ): Promise<Changed | undefined> {
    const { userId, deviceId } = claim;
    let before: DeviceHolder | undefined;
    for (let attempt = 0; attempt < MOST_CONFLICTS; attempt++) {
      if (claim.seenAt) {
        const { outcome, position } = await this.#tables.put(userId, deviceId, holder, claim.seenAt);
        claim.seenAt = outcome === "conflict" ? undefined : position;
        if (outcome !== "conflict") return { position: position!, before };
      }
      const { position, holders } = await this.#tables.read(userId);
      before = holders.find((one) => one.deviceId === deviceId && one.instance !== this.#id);
      if (before && !(await mayTake(before))) return undefined;
      claim.seenAt = position;
      const mine = holders.find((one) => one.deviceId === deviceId && one.instance === this.#id);
      if (mine && holder && isSame(mine, holder)) return { position, before: undefined };
    }
    throw new Error("The device table changed during every attempt.");
  }
}

function isSame({ deviceId: _, ...one }: DeviceHolder, other: Omit<DeviceHolder, "deviceId">): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function keyOf(userId: string, deviceId: string): string {
  return JSON.stringify([userId, deviceId]);
}
