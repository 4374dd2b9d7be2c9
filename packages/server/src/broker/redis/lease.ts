import type { Cancel, Environment } from "../../environment.js";
import type { Commands } from "./commands.js";
import { slotOf } from "./keys.js";
import * as scripts from "./scripts.js";
import { wordOf } from "./unavailable.js";

const BEAT_MS = 2_000;
/** Four beats may get lost. */
export const LEASE_MS = 10_000;
/** Beats that are further apart than this were kept from Redis, and so may have been those of others. */
const GAP_MS = LEASE_MS / 2;

export interface LeaseHooks {
  onGone(instances: readonly string[]): void;
  onForgotten(): void;
  /** Redis answers, but not this. Said once, until it does. */
  onRefused(error: Error): void;
}

/**
 * That this instance is there, said again and again, and who else is. Numbered, so that a store that was set back, or emptied,
 * shows by the number it has.
 */
export class Lease {
  readonly #id: string;
  readonly #environment: Environment;
  readonly #commands: Commands;
  readonly #hooks: LeaseHooks;
  readonly #keys: readonly [string, string];
  readonly #slot: number;
  readonly #cancel: Cancel;
  #isClosed = false;
  #beating: Promise<void> | undefined;
  /** The number of the last beat, and of the last that was answered: the store has one from there to here. */
  #number = 0;
  #answered = 0;
  #answeredAt: number | undefined;
  /** Whether the store that is there now has had no beat of this instance yet, though one before it had. */
  #isOther = false;
  #isRefused = false;
  /** Until then nobody is given up: they may have been kept from Redis as well, and need time to beat. */
  #patientUntil = 0;
  #others = new Set<string>();

  constructor(id: string, environment: Environment, commands: Commands, prefix: string, hooks: LeaseHooks) {
    this.#id = id;
    this.#environment = environment;
    this.#commands = commands;
    this.#hooks = hooks;
    this.#keys = [`{${prefix}}:instances`, `{${prefix}}:beats`];
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

  /** Everyone whose lease was not ended, by themselves or by one who noticed that it had run out. */
  async instances(): Promise<ReadonlySet<string>> {
    const answer = (await this.#run(scripts.members, [])) as string[];
    return new Set([...answer, this.#id]);
  }

  /**
   * The store is another one, or was set back. What it has of this instance means nothing, and others have to beat again. That it
   * has forgotten is told behind the first beat: what is put again could be lost before that, and no number would show it.
   */
  storeIsOther(): void {
    this.#isOther = true;
    this.#bePatient();
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
    try {
      const answer = await this.#run(scripts.beat, [this.#id, LEASE_MS, ++this.#number]);
      await this.#consider(answer as [string, string[], string[]]);
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

  async #consider([before, instances, expired]: [string, string[], string[]]): Promise<void> {
    const now = this.#environment.monotonic();
    const isGap = this.#answeredAt === undefined || now - this.#answeredAt > GAP_MS;
    const known = before === "" ? undefined : Number(before);
    // A beat whose answer got lost may have been counted.
    const isAsLast = known !== undefined && known >= this.#answered && known < this.#number;
    const isForgotten = this.#isOther || (this.#answeredAt !== undefined && !isAsLast);
    this.#isOther = false;
    this.#answeredAt = now;
    this.#answered = this.#number;
    if (isGap || isForgotten) this.#bePatient();
    if (this.#isClosed) return;
    if (isForgotten) this.#hooks.onForgotten();

    const others = new Set(instances);
    others.delete(this.#id);
    if (now < this.#patientUntil && this.#patientUntil <= now + LEASE_MS) {
      // Who was there before and is not now is remembered: it has until then to come back.
      for (const other of others) this.#others.add(other);
      return;
    }
    const buried = expired.length > 0 ? ((await this.#run(scripts.bury, expired)) as string[]) : [];
    for (const other of buried) {
      others.delete(other);
      this.#others.add(other);
    }
    if (this.#isClosed) return;
    const gone = [...this.#others].filter((other) => !others.has(other));
    this.#others = others;
    if (gone.length > 0) this.#hooks.onGone(gone);
  }

  #bePatient(): void {
    this.#patientUntil = this.#environment.monotonic() + LEASE_MS;
  }

  #run(script: scripts.Script, args: readonly (string | number)[]): Promise<unknown> {
    return this.#commands.run(this.#slot, script, this.#keys, args);
  }
}
