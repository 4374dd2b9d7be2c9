import type { Cancel } from "@holdfast/protocol";
import type { ServerEnvironment } from "../../environment.js";
import type { Commands } from "./commands.js";
import { slotOf } from "./keys.js";
import * as scripts from "./scripts.js";
import { wordOf } from "./unavailable.js";

/** How often an instance renews its lease. */
const BEAT_MS = 2_000;
/** How long a lease lasts: an instance may miss four beats. */
export const LEASE_MS = 10_000;
/**
 * If two answered beats are further apart than this, Redis may have been unreachable, and other
 * instances may have been unable to beat as well.
 */
const GAP_MS = LEASE_MS / 2;
/**
 * If the clock of Redis advances by this much more than the instance's clock, keys may have expired
 * too early.
 */
const CLOCK_JUMP_MS = 1_000;

/** Callbacks of a `Lease`. */
export interface LeaseHooks {
  onGone(instances: readonly string[]): void;
  onForgotten(): void;
  /**
   * The clock of Redis has advanced by `ms` more than the clock of this instance, so keys may have
   * expired too early.
   */
  onClockJump(ms: number): void;
  /**
   * Redis is reachable but refuses the beat. Called for the first refusal after the start or after
   * a successful beat.
   */
  onRefused(error: Error): void;
}

/** The number of the previous beat, instances and numbers in turn, and the clock of Redis. */
type BeatAnswer = [before: string, beats: readonly string[], clock: number];

/**
 * Another instance: the number of its latest beat, and when this instance first saw that number, on
 * the local monotonic clock.
 */
interface Other {
  readonly number: string;
  readonly since: number;
}

/**
 * Renews the lease of this instance with a numbered beat every 2 s, and finds the instances that
 * have stopped.
 *
 * The number shows whether the store was rolled back or emptied: the store then does not return the
 * number of the previous beat. An instance is gone if its number has not changed for the length of
 * a lease, measured by the monotonic clock of this instance. The clock of Redis is not used,
 * because the clock can be changed, and the clocks of two machines never agree.
 */
export class Lease {
  readonly #id: string;
  readonly #environment: ServerEnvironment;
  readonly #commands: Commands;
  readonly #hooks: LeaseHooks;
  readonly #keys: readonly [string];
  readonly #slot: number;
  readonly #cancel: Cancel;
  #isClosed = false;
  #beating: Promise<void> | undefined;
  /**
   * The numbers of the latest beat sent and of the latest beat answered. Unless the store was
   * rolled back, the number in the store is between the two.
   */
  #number = 0;
  #answered = 0;
  #answeredAt: number | undefined;
  /**
   * The most by which the clock of Redis can be ahead of the instance's clock, as of the latest
   * beat.
   */
  #aheadMs: number | undefined;
  /**
   * True if Redis now has another store than before and that store has no beat of this instance
   * yet.
   */
  #isOther = false;
  #isRefused = false;
  /**
   * Until this time, no instance counts as gone. The others may have been unable to reach Redis
   * too, and need time to beat.
   */
  #patientUntil = 0;
  #others = new Map<string, Other>();

  constructor(id: string, environment: ServerEnvironment, commands: Commands, prefix: string, hooks: LeaseHooks) {
    this.#id = id;
    this.#environment = environment;
    this.#commands = commands;
    this.#hooks = hooks;
    this.#keys = [`{${prefix}}:beats`];
    this.#slot = slotOf(this.#keys[0]);
    this.#cancel = environment.every(BEAT_MS, () => void this.beat());
    void this.beat();
  }

  /** Whether a recent beat was answered. */
  get isFresh(): boolean {
    return this.#answeredAt !== undefined && this.#environment.monotonic() - this.#answeredAt < GAP_MS;
  }

  beat(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#beating ??= this.#beat().finally(() => (this.#beating = undefined));
    return this.#beating;
  }

  /** Returns all instances that have neither left nor been found gone. */
  async instances(): Promise<ReadonlySet<string>> {
    const answer = (await this.#run(scripts.members, [])) as string[];
    return new Set([...answer, this.#id]);
  }

  /**
   * Called when Redis has another store or was rolled back. The stored number of this instance then
   * proves nothing, and the other instances must beat again. `onForgotten` is called only after the
   * first beat: entries that are written earlier could be lost again, and no number would show the
   * loss.
   */
  storeIsOther(): void {
    this.#isOther = true;
    this.#patientUntil = this.#environment.monotonic() + LEASE_MS;
    void Promise.resolve(this.#beating).then(() => this.beat());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    // A beat in flight could otherwise be stored after the instance has left.
    await this.#beating;
    if (this.#answeredAt === undefined) return;
    await this.#run(scripts.leave, [this.#id]).catch(() => {
      // The lease expires by itself.
    });
  }

  /** Never rejects. The next beat tries again. */
  async #beat(): Promise<void> {
    const sentAt = this.#environment.monotonic();
    try {
      const answer = await this.#run(scripts.beat, [this.#id, ++this.#number]);
      await this.#consider(answer as BeatAnswer, sentAt);
      this.#isRefused = false;
    } catch (error) {
      // `RedisLink` logs the loss of the connection.
      if (this.#isClosed || !(error instanceof Error) || wordOf(error.cause) === undefined) return;
      if (this.#isOther) this.#hooks.onForgotten();
      this.#isOther = false;
      if (this.#isRefused) return;
      this.#isRefused = true;
      this.#hooks.onRefused(error);
    }
  }

  async #consider([before, beats, clock]: BeatAnswer, sentAt: number): Promise<void> {
    const now = this.#environment.monotonic();
    const isGap = this.#answeredAt === undefined || now - this.#answeredAt > GAP_MS;
    const known = before === "" ? undefined : Number(before);
    // A beat may have been stored even if its answer was lost.
    const isAsLast = known !== undefined && known >= this.#answered && known < this.#number;
    const isLost = this.#isOther || (this.#answeredAt !== undefined && !isAsLast);
    // Redis has read its clock between `sentAt` and `now`.
    const gainedMs = this.#aheadMs === undefined ? 0 : clock - now - this.#aheadMs;
    this.#aheadMs = clock - sentAt;
    this.#isOther = false;
    this.#answeredAt = now;
    this.#answered = this.#number;
    if (isGap || isLost) this.#patientUntil = now + LEASE_MS;
    if (this.#isClosed) return;
    if (isLost) this.#hooks.onForgotten();
    else if (gainedMs > CLOCK_JUMP_MS) this.#hooks.onClockJump(Math.round(gainedMs));

    const isPatient = now < this.#patientUntil;
    const others = this.#seen(beats, now, isGap || isLost);
    const buried = isPatient ? [] : await this.#bury(others, sentAt);
    if (this.#isClosed) return;
    for (const other of buried) others.delete(other);
    const missing = [...this.#others].filter(([other]) => !others.has(other));
    // While this instance is patient, it remembers missing instances, because they still have time
    // to come back.
    if (isPatient) for (const [other, seen] of missing) others.set(other, seen);
    // Includes instances that had already stopped when this instance first saw their numbers.
    const gone = isPatient ? [] : [...new Set([...missing.map(([other]) => other), ...buried])];
    this.#others = others;
    if (gone.length > 0) this.#hooks.onGone(gone);
  }

  /**
   * Reads the other instances and their numbers from the answer. If `isAnew`, each other instance
   * gets a full lease from now on.
   */
  #seen(beats: readonly string[], now: number, isAnew: boolean): Map<string, Other> {
    const others = new Map<string, Other>();
    for (let index = 0; index + 1 < beats.length; index += 2) {
      const [id, number] = [beats[index]!, beats[index + 1]!];
      if (id === this.#id) continue;
      const before = this.#others.get(id);
      others.set(id, before?.number === number && !isAnew ? before : { number, since: now });
    }
    return others;
  }

  /**
   * Removes the instances whose number had not changed for the length of a lease when Redis was
   * asked. Resolves with the removed instances. An instance whose number has changed meanwhile is
   * not removed.
   */
  async #bury(others: ReadonlyMap<string, Other>, askedAt: number): Promise<readonly string[]> {
    const still = [...others].filter(([, { since }]) => askedAt - since >= LEASE_MS);
    if (still.length === 0) return [];
    return (await this.#run(
      scripts.bury,
      still.flatMap(([id, { number }]) => [id, number]),
    )) as string[];
  }

  #run(script: scripts.LuaScript, args: readonly (string | number)[]): Promise<unknown> {
    return this.#commands.run(this.#slot, script, this.#keys, args);
  }
}
