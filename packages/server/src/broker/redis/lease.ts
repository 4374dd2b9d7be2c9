import type { Cancel } from "@holdfast/protocol";
import type { ServerEnvironment } from "../../environment.js";
import type { Commands } from "./commands.js";
import { slotOf } from "./keys.js";
import * as scripts from "./scripts.js";
import { wordOf } from "./unavailable.js";

const BEAT_MS = 2_000;
/** Four beats may get lost. */
export const LEASE_MS = 10_000;
/**
 * Beats that are further apart than this were kept from Redis, and so may have been those of
 * others.
 */
const GAP_MS = LEASE_MS / 2;
/**
 * If the clock of Redis gains more than this on ours, keys may have run out that should live on.
 */
const CLOCK_JUMP_MS = 1_000;

export interface LeaseHooks {
  onGone(instances: readonly string[]): void;
  onForgotten(): void;
  /**
   * The clock of Redis has gained so many milliseconds on ours: keys may have run out that should
   * live on.
   */
  onClockJump(ms: number): void;
  /** Redis answers, but not this. Said once, until it does. */
  onRefused(error: Error): void;
}

/** The number of the beat before, instances and numbers in turn, and the clock of Redis. */
type BeatAnswer = [before: string, beats: readonly string[], clock: number];

/**
 * Another instance: the number of its last beat, and since when that is the same, by the clock of
 * this instance.
 */
interface Other {
  readonly number: string;
  readonly since: number;
}

/**
 * Says again and again that this instance is there, and finds out which others are. Each beat has a
 * number: a store that was set back, or emptied, shows by the number it has. Another instance is
 * gone if its number has stood still for the length of a lease, measured by the monotonic clock of
 * this instance: the clock of Redis may be set, and two machines never have the same.
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
   * The number of the last beat, and of the last that was answered: the store has one from there to
   * here.
   */
  #number = 0;
  #answered = 0;
  #answeredAt: number | undefined;
  /** How far the clock of Redis is ahead of ours at most, as the last beat has shown. */
  #aheadMs: number | undefined;
  /**
   * Whether the store that is there now has had no beat of this instance yet, though one before it
   * had.
   */
  #isOther = false;
  #isRefused = false;
  /**
   * Until then no instance counts as gone: the others may have been kept from Redis as well, and
   * need time to beat.
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

  /** Whether Redis answers. */
  get isFresh(): boolean {
    return this.#answeredAt !== undefined && this.#environment.monotonic() - this.#answeredAt < GAP_MS;
  }

  beat(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#beating ??= this.#beat().finally(() => (this.#beating = undefined));
    return this.#beating;
  }

  /** All instances that have not left, and that no other has found to be gone. */
  async instances(): Promise<ReadonlySet<string>> {
    const answer = (await this.#run(scripts.members, [])) as string[];
    return new Set([...answer, this.#id]);
  }

  /**
   * The store is another one, or was set back. What it has of this instance means nothing, and
   * others have to beat again. That it has forgotten is told behind the first beat: what is put
   * again could be lost before that, and no number would show it.
   */
  storeIsOther(): void {
    this.#isOther = true;
    this.#patientUntil = this.#environment.monotonic() + LEASE_MS;
    void Promise.resolve(this.#beating).then(() => this.beat());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    // One that is under way would be stored after the lease was given up.
    await this.#beating;
    if (this.#answeredAt === undefined) return;
    await this.#run(scripts.leave, [this.#id]).catch(() => {
      // It runs out by itself.
    });
  }

  /** Never rejects: what could not be said is said again. */
  async #beat(): Promise<void> {
    const sentAt = this.#environment.monotonic();
    try {
      const answer = await this.#run(scripts.beat, [this.#id, ++this.#number]);
      await this.#consider(answer as BeatAnswer, sentAt);
      this.#isRefused = false;
    } catch (error) {
      // Of a connection that is lost the log has a line already.
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
    // A beat whose answer got lost may have been counted.
    const isAsLast = known !== undefined && known >= this.#answered && known < this.#number;
    const isLost = this.#isOther || (this.#answeredAt !== undefined && !isAsLast);
    // Redis has read its clock some time between the two.
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
    // An instance that was there and is not now is remembered while this one is patient: it has
    // until then to come back.
    if (isPatient) for (const [other, seen] of missing) others.set(other, seen);
    // Also one that was seen for the first time, and had died before.
    const gone = isPatient ? [] : [...new Set([...missing.map(([other]) => other), ...buried])];
    this.#others = others;
    if (gone.length > 0) this.#hooks.onGone(gone);
  }

  /** `isAnew`: each of them is given a whole lease from now on. */
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
   * Takes out those that had stood still for a lease when Redis was asked. Resolves with those of
   * them that still do.
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
