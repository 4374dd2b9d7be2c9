import type { Position } from "@holdfast/protocol";
import type { ClientSession } from "../session/client-session.js";
import type { Sessions } from "../session/sessions.js";
import type { DeviceTables } from "./device-tables.js";
import { type DeviceHolder, readHolder } from "./instance-messages.js";

/** What this instance has said in the table of a user about one device. */
export interface Claim {
  readonly userId: string;
  readonly deviceId: string;
  /** The connection for which the device was claimed last. */
  connection: object | undefined;
  /** Where that claim stands among those of the table. */
  claimedAt: Position | undefined;
  /** Where the table stood when it was last seen. */
  seenAt: Position | undefined;
  /** What was put there last; undefined: nothing, as far as is known. */
  written: string | undefined;
  /**
   * A claim has failed, or was lost: others may have claimed the device since, so it is not simply
   * claimed again.
   */
  isLate: boolean;
  /** Who has come and was not looked at yet: somebody may have to leave for it. */
  newcomer: ClientSession | undefined;
}

export type Settled =
  | { readonly kind: "settled" }
  /** The device is another instance's. */
  | { readonly kind: "lost"; readonly session: ClientSession }
  /** `before`: who had it until now. */
  | {
      readonly kind: "claimed";
      readonly session: ClientSession;
      readonly before: DeviceHolder | undefined;
      readonly position: Position;
    };

/** Where the table stands now, and who had the device until then. */
interface Changed {
  readonly position: Position;
  readonly before: DeviceHolder | undefined;
}

/** Something may stand there, or nothing. */
const UNKNOWN = "";

/**
 * Asks another instance whether it has a connection for what it holds. Rejects when it does not
 * answer.
 */
type IsThere = (holder: DeviceHolder, userId: string) => Promise<boolean>;

/** How often a table may change under our hands before it is tried again later. */
const MOST_CONFLICTS = 20;

/**
 * The devices that this instance has, as the tables of the users say it. A newer connection claims
 * its device whoever has it. Everything else (a drop, an end, a claim that comes late) changes the
 * table only where the device is still ours: what somebody else has claimed meanwhile must not be
 * undone.
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

  /** Those whose devices are here. */
  users(): string[] {
    return [...new Set([...this.#claims.values()].map(({ userId }) => userId))];
  }

  /** What was put is not there any more. Returns what is to be put again. */
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
   * Those whose table does not stand where it was last seen: something may have become of what was
   * put there.
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

  /** Makes the table say what is true now. Rejects when the broker cannot be reached. */
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

  /** Whoever has it. */
  async #claim(claim: Claim, holder: Omit<DeviceHolder, "deviceId">): Promise<Changed> {
    claim.isLate = true;
    const { position, previous } = await this.#tables.put(claim.userId, claim.deviceId, holder);
    const before = readHolder(claim.deviceId, previous);
    return { position: position!, before: before?.instance === this.#id ? undefined : before };
  }

  /**
   * Whether a claim that comes late is the newer one all the same. Clocks of two instances decide
   * only where both have a connection; whoever has none has nothing to lose.
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
    // A claim that has failed may have arrived all the same.
    if (claim.written !== undefined || claim.isLate) await this.#change(claim, undefined, () => Promise.resolve(false));
    claim.written = undefined;
    claim.isLate = false;
    // Somebody may have come meanwhile; then it is wanted again, and has to be the same.
    if (!this.#sessions.device(claim.userId, claim.deviceId)) this.#claims.delete(keyOf(claim.userId, claim.deviceId));
    return { kind: "settled" };
  }

  /** Changes the field where it is ours, or free, or may be taken. Undefined: it is another's. */
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
    throw new Error("The table changes all the time.");
  }
}

function isSame({ deviceId: _, ...one }: DeviceHolder, other: Omit<DeviceHolder, "deviceId">): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function keyOf(userId: string, deviceId: string): string {
  return JSON.stringify([userId, deviceId]);
}
