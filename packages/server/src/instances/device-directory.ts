import type { Cancel, Position } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";
import { FULL_REASON } from "../session/refusals.js";
import type { ClientSession } from "../session/client-session.js";
import type { SessionEnd, SessionEvent } from "../session/session.js";
import type { Sessions } from "../session/sessions.js";
import { RetryQueue } from "../async/retry-queue.js";
import { type Claim, DeviceClaims } from "./device-claims.js";
import type { DeviceTables } from "./device-tables.js";
import type { InstanceRpc } from "./instance-rpc.js";
import { type DeviceHolder, type Question, readDevices, type Why } from "./instance-messages.js";

const HOUR_MS = 3_600_000;
/**
 * How long a closing server waits until all devices are removed from the tables. After that,
 * readers of the tables find that the instance is gone.
 */
const CLOSE_MS = 1_000;
const ANSWER_MS = 1_000;

export interface DirectoryParts {
  /** The id of this instance. */
  readonly id: string;
  readonly sessions: Sessions;
  readonly tables: DeviceTables;
  readonly rpc: InstanceRpc;
  readonly environment: ServerEnvironment;
  readonly devices: { readonly perUser: number; readonly whenFull: "refuse" | "replace_oldest" };
}

/** A message to another instance that is repeated until that instance has acted or is gone. */
interface Notice {
  readonly to: string;
  readonly question: Question & { kind: "end" };
}

/** How a session ends when another session, here or on another instance, replaces it. */
const endings: { readonly [W in Why]: { end: SessionEnd; close: "REPLACED" | "RATE_LIMITED"; reason: string } } = {
  replaced: { end: "replaced", close: "REPLACED", reason: "a newer connection of the same device took its place" },
  moved: { end: "moved", close: "REPLACED", reason: "the session continues on a newer connection" },
  evicted: { end: "evicted", close: "REPLACED", reason: "a newer device of the user took its place" },
  refused: { end: "evicted", close: "RATE_LIMITED", reason: FULL_REASON },
};

/**
 * Publishes which instance holds each device and ends the older session if two instances hold the
 * same device. Sessions open without waiting for this check. The table of the user decides
 * afterwards: the instance that claimed a device last holds it, and tells the previous holder to
 * end the older session.
 *
 * `DeviceClaims` writes this instance's claims; this class acts on the results and enforces the
 * limit of devices per user.
 */
export class DeviceDirectory {
  readonly #parts: DirectoryParts;
  readonly #claims: DeviceClaims;
  readonly #retries: RetryQueue<Claim>;
  readonly #notices: RetryQueue<Notice>;
  readonly #auditing: RetryQueue<string>;
  readonly #stopListening: () => void;
  #stopTouching: Cancel | undefined;

  constructor(parts: DirectoryParts) {
    this.#parts = parts;
    const { environment, sessions, tables, id } = parts;
    this.#retries = new RetryQueue(environment, (claim) => this.#settle(claim));
    this.#notices = new RetryQueue(environment, (notice) => this.#notify(notice));
    this.#claims = new DeviceClaims(id, sessions, tables, async ({ instance, sessionId }, userId) => {
      const asked = await parts.rpc.ask(instance, { kind: "devices", userId }, ANSWER_MS);
      // If the other instance does not answer, this session is not ended on a guess. The claim is
      // retried until the instance answers or is found to be gone.
      if (asked.kind !== "answer") throw new Error("The other instance did not answer.");
      return readDevices(asked.answer).some((device) => device.sessionId === sessionId);
    });
    this.#auditing = new RetryQueue(environment, async () => {
      const positions = await tables.positions(this.#claims.users());
      this.#retries.enqueueAll(this.#claims.changed(positions));
    });
    this.#stopListening = sessions.on((event) => this.#follow(event));
  }

  /** The store has lost data, so all claims are written again. */
  putAgain(): void {
    this.#retries.enqueueAll(this.#claims.forget());
  }

  /**
   * Checks that the tables still hold this instance's values. If an instance claims a device and
   * dies before telling the previous holder, the table names no holder, although the device is
   * connected here. The check also renews the tables, which otherwise expire.
   */
  audit(): void {
    this.#auditing.enqueue("all");
  }

  /**
   * Another instance asks to end a session. Returns true if the session has ended or need not end.
   * Returns false while a claim of this instance is pending, because the order of the two claims is
   * not known yet.
   */
  answerEnd({ userId, deviceId, sessionId, why, position }: Question & { kind: "end" }): boolean {
    const session = this.#parts.sessions.get(sessionId);
    if (session?.userId !== userId || session.deviceId !== deviceId) return true;
    const claim = this.#claims.get(userId, deviceId);
    if (claim && this.#retries.isPending(claim)) return false;
    const mine = claim?.claimedAt;
    if (mine?.epoch === position.epoch && mine.offset > position.offset) return true;
    this.#end(session, why);
    return true;
  }

  async close(): Promise<void> {
    this.#notices.close();
    this.#auditing.close();
    await this.#retries.drained(CLOSE_MS);
    this.#stopListening();
    this.#retries.close();
    this.#stopTouching?.();
  }

  #follow({ session: { userId, deviceId } }: SessionEvent): void {
    if (userId === undefined || deviceId === undefined) return;
    this.#retries.enqueue(this.#claims.of(userId, deviceId));
    this.#stopTouching ??= this.#parts.environment.every(HOUR_MS, () => this.audit());
  }

  /**
   * Writes the current state of one device to the table and ends the session that lost the device.
   */
  async #settle(claim: Claim): Promise<void> {
    const result = await this.#claims.settle(claim);
    // Another instance has claimed the device.
    if (result.kind === "lost") return this.#end(result.session, "replaced");
    if (result.kind === "claimed" && result.before)
      this.#tell(result.before, claim.userId, whyOf(result.session, result.before), result.position);
    if (claim.newcomer) {
      await this.#look(claim.newcomer);
      claim.newcomer.introduced = undefined;
      claim.newcomer = undefined;
    }
    if (this.#claims.size > 0) return;
    this.#stopTouching?.();
    this.#stopTouching = undefined;
  }

  /**
   * Finds the sessions that must leave for a new session: the client's previous session, and
   * devices beyond the user's limit.
   */
  async #look(session: ClientSession): Promise<void> {
    const { id, tables, devices } = this.#parts;
    const { userId } = session;
    if (userId === undefined || session.state.name === "ended") return;
    const { position, holders } = await tables.read(userId);
    const introduced = session.introduced;
    const isUnnamed = session.deviceId === session.id;
    const left = holders.find((holder) => holder.sessionId === introduced && holder.instance !== id);
    if (left && isUnnamed) this.#tell(left, userId, "moved", position);
    const rest = left && isUnnamed ? holders.filter((holder) => holder !== left) : holders;
    let tooMany = rest.length - devices.perUser;
    if (tooMany <= 0) return;
    // Sessions that wait to be resumed leave first, because no client is connected to them.
    const away = rest
      .filter(({ connected }) => !connected)
      .sort(byClaim)
      .slice(0, tooMany);
    for (const holder of away) this.#tell(holder, userId, "evicted", position);
    tooMany -= away.length;
    if (tooMany <= 0) return;
    const connected = rest.filter((holder) => holder.connected).sort(byClaim);
    const leaving =
      devices.whenFull === "refuse"
        ? connected.slice(-tooMany)
        : (await this.#byActivity(userId, connected)).slice(0, tooMany);
    for (const holder of leaving)
      this.#tell(holder, userId, devices.whenFull === "refuse" ? "refused" : "evicted", position);
  }

  /**
   * Sorts holders by the time of their last activity, oldest first. If an instance does not answer,
   * the time of the claim is used.
   */
  async #byActivity(userId: string, holders: readonly DeviceHolder[]): Promise<DeviceHolder[]> {
    const { id, environment, rpc, sessions } = this.#parts;
    const now = environment.monotonic();
    const silent = new Map<string, number>(
      sessions.ofUser(userId).map((session) => [session.id, now - session.lastHeardAt]),
    );
    const others = new Set(holders.map(({ instance }) => instance).filter((instance) => instance !== id));
    const question: Question = { kind: "devices", userId };
    for (const asked of await Promise.all([...others].map((other) => rpc.ask(other, question, ANSWER_MS))))
      if (asked.kind === "answer")
        for (const { sessionId, silentMs } of readDevices(asked.answer)) silent.set(sessionId, silentMs);
    const silentMsOf = ({ sessionId, claimedAt }: DeviceHolder): number =>
      // oxlint-disable-next-line no-restricted-properties -- compared with a date of another machine
      silent.get(sessionId) ?? environment.now() - claimedAt;
    return [...holders].sort((a, b) => silentMsOf(b) - silentMsOf(a));
  }

  /** Ends a session on this instance, or asks the session's instance to do so. */
  #tell({ instance, deviceId, sessionId }: DeviceHolder, userId: string, why: Why, position: Position): void {
    const session = this.#parts.sessions.get(sessionId);
    if (instance !== this.#parts.id)
      this.#notices.enqueue({ to: instance, question: { kind: "end", userId, deviceId, sessionId, why, position } });
    else if (session) this.#end(session, why);
  }

  /**
   * Sends the message. Throws, so that the message is retried, unless the other instance has acted
   * or is gone.
   */
  async #notify({ to, question }: Notice): Promise<void> {
    const asked = await this.#parts.rpc.ask(to, question, ANSWER_MS);
    if (asked.kind === "gone" || (asked.kind === "answer" && asked.answer === true)) return;
    if (await this.#parts.tables.isAlive(to))
      throw new Error("The other instance has not confirmed the end of the session yet.");
  }

  #end(session: ClientSession, why: Why): void {
    const { end, ...how } = endings[why];
    this.#parts.sessions.yield(session, end, how);
  }
}

function whyOf(session: ClientSession, before: DeviceHolder): Why {
  return before.sessionId === session.introduced ? "moved" : "replaced";
}

/**
 * The order does not depend on the instance, so two instances that check at the same time choose
 * the same devices.
 */
function byClaim(a: DeviceHolder, b: DeviceHolder): number {
  return a.claimedAt - b.claimedAt || (a.sessionId < b.sessionId ? -1 : 1);
}
