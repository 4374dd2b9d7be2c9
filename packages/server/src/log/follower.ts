import { links } from "@holdfast/protocol/internal";
import type { Cancel, Link, Position } from "@holdfast/protocol";
import type { BrokerLink, Publication } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";

/** A publication that has its place in the chain of its topic. */
export type LinkedPublication = Publication & { readonly link: Link };

/** What was read of a topic, and what it means. */
export interface TopicReading {
  /** Where the topic stood when it was read. */
  readonly position: Position;
  /** Called in the same go as the position is taken over. */
  apply(): void;
}

/** Takes over what a Follower reads and receives. It is called, and does not call the Follower. */
export interface TopicLog {
  /** Reads the topic. `from`: what is known already; undefined at the beginning. */
  load(from: Position | undefined): Promise<TopicReading>;
  /**
   * The next publication, in order. Returns false if it could not be applied: then the Follower
   * reads the topic again.
   */
  deliver(publication: LinkedPublication): boolean;
  /** Whether exactly this was delivered before. */
  knows(link: Link): boolean;
}

export interface FollowerParts {
  readonly topic: string;
  readonly link: BrokerLink;
  readonly environment: ServerEnvironment;
  readonly log: TopicLog;
}

/**
 * How long after a failed repair the next one is tried: the store is away, and its return should be
 * noticed soon.
 */
const RETRY_MS = 250;
/**
 * What is announced while the topic is read. Beyond it all but the newest, which does not link, are
 * dropped and read instead.
 */
const MOST_WAITING = 1_000;
/** Announcements that the store does not confirm so often were made by nobody we should believe. */
const MOST_READINGS = 3;
/**
 * How long whoever has published waits for the members here to have it. Mostly that is before the
 * store has answered.
 */
const ECHO_MS = 100;
/** An own publication that was not announced after this long was lost on its way here. */
const LOST_MS = 1_000;

/** Somebody waits for an own publication to come back. */
interface Echo {
  readonly offset: number;
  readonly resolve: () => void;
  readonly cancel: Cancel;
}

/**
 *   opening ──read──▶ live ──does not link──▶ repairing ──read──▶ live
 *      └──failed──▶ closed                       └──failed──▶ waits, tries again
 *
 * While the topic is read, announcements wait. `closed` from everywhere.
 */
type FollowerState =
  | { readonly name: "opening"; waiting: Publication[] }
  | { readonly name: "live" }
  | {
      readonly name: "repairing";
      waiting: Publication[];
      readonly done: Promise<void>;
      readonly finish: () => void;
      cancelRetry?: Cancel;
    }
  | { readonly name: "closed" };

/**
 * Follows one topic of the broker in order and without a hole, for everyone on this instance. What
 * does not link is repaired here, once, by reading the store: however many clients listen, they
 * wait for one reading, and notice nothing.
 */
export class Follower {
  readonly #parts: FollowerParts;
  #state: FollowerState = { name: "opening", waiting: [] };
  #position: Position | undefined;
  /**
   * Resolves when it is live; rejects when the broker could not be reached, and then it is closed.
   */
  readonly opened: Promise<void>;
  #expected = 0;
  #cancelLost: Cancel | undefined;
  readonly #echoes = new Set<Echo>();

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.opened = this.#open();
    // Whoever waits for it hears of it; nobody has to.
    this.opened.catch(() => undefined);
  }

  get isOpen(): boolean {
    return this.#state.name === "live" || this.#state.name === "repairing";
  }

  /** Where the instance stands; undefined until it is open. */
  get position(): Position | undefined {
    return this.#position;
  }

  receive(publication: Publication): void {
    switch (this.#state.name) {
      case "opening":
      case "repairing":
        this.#state.waiting.push(publication);
        if (this.#state.waiting.length > MOST_WAITING) this.#state.waiting = [publication];
        return;
      case "live":
        if (!this.#take(publication)) void this.#repair([publication]);
        return;
      case "closed":
        return;
      default:
        this.#state satisfies never;
    }
  }

  /** Reads the topic again, and holds announcements meanwhile. Rejects only when this is closed. */
  refresh(): Promise<void> {
    switch (this.#state.name) {
      case "opening":
        return this.opened;
      case "repairing":
        return this.#state.done;
      case "live":
        return this.#repair([]);
      case "closed":
        return Promise.reject(notFollowed());
      default:
        return this.#state satisfies never;
    }
  }

  /**
   * The store has this offset, for certain. If it is not announced, something was lost. Resolves
   * when it has been delivered here, or after a moment; undefined where it has been already.
   */
  expect(offset: number): Promise<void> | undefined {
    if (!this.isOpen || offset <= this.#position!.offset) return undefined;
    this.#expected = Math.max(this.#expected, offset);
    const { environment } = this.#parts;
    this.#cancelLost ??= environment.afterIdle(LOST_MS, () => {
      this.#cancelLost = undefined;
      const expected = this.#expected;
      // Of a history that was lost meanwhile it would be expected for ever.
      this.#expected = 0;
      if (this.#state.name === "live" && expected > this.#position!.offset) void this.#repair([]);
    });
    return new Promise((resolve) => {
      const echo: Echo = { offset, resolve, cancel: environment.after(ECHO_MS, () => this.#heard(echo)) };
      this.#echoes.add(echo);
    });
  }

  /** Resolves when the repair that is under way is over; undefined if none is. */
  get repaired(): Promise<void> | undefined {
    return this.#state.name === "repairing" ? this.#state.done : undefined;
  }

  /**
   * `theirs`: where the store says that the topic stands, asked when this stood at `mine`. Resolves
   * when what differs is repaired; undefined if nothing does.
   */
  compare(mine: Position, theirs: Position | undefined): Promise<void> | undefined {
    // What was announced and linked meanwhile has proved more than the comparison could.
    if (this.#state.name !== "live" || this.#position !== mine) return this.repaired;
    if (theirs && theirs.epoch === mine.epoch && theirs.offset === mine.offset && theirs.id === mine.id)
      return undefined;
    return this.#repair([]);
  }

  close(): void {
    if (this.#state.name === "closed") return;
    if (this.#state.name === "repairing") {
      this.#state.cancelRetry?.();
      this.#state.finish();
    }
    this.#cancelLost?.();
    for (const echo of [...this.#echoes]) this.#heard(echo);
    this.#state = { name: "closed" };
    this.#parts.link.unsubscribe(this.#parts.topic);
  }

  async #open(): Promise<void> {
    try {
      await this.#parts.link.subscribe(this.#parts.topic);
      await this.#read();
      if (!this.isOpen) throw notFollowed();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Takes what links or is known; says whether it was one of these. */
  #take(publication: Publication): boolean {
    const { link } = publication;
    if (this.#state.name !== "live") {
      // Delivering the one before has led to a reading, or to the end.
      this.receive(publication);
      return true;
    }
    const position = this.#position!;
    // What has no place in a chain is none of ours.
    if (!link) return true;
    if (links(position, link)) {
      this.#position = { epoch: position.epoch, offset: link.offset, id: link.id };
      // Delivering may have closed this, and then there is nothing left to read.
      if (!this.#parts.log.deliver(publication as LinkedPublication)) this.refresh().catch(() => undefined);
      this.#tellEchoes();
      return true;
    }
    return link.offset <= position.offset && this.#parts.log.knows(link);
  }

  #tellEchoes(): void {
    for (const echo of this.#echoes) if (echo.offset <= this.#position!.offset) this.#heard(echo);
  }

  #heard(echo: Echo): void {
    this.#echoes.delete(echo);
    echo.cancel();
    echo.resolve();
  }

  #repair(waiting: Publication[], reading = 1): Promise<void> {
    let finish!: () => void;
    const done = new Promise<void>((resolve) => (finish = resolve));
    this.#state = { name: "repairing", waiting, done, finish };
    const attempt = (): void => {
      this.#read(reading).then(finish, () => {
        if (this.#state.name !== "repairing") return finish();
        this.#state.cancelRetry = this.#parts.environment.afterIdle(RETRY_MS, attempt);
      });
    };
    attempt();
    return done;
  }

  /**
   * Reads the topic and then takes what was announced meanwhile; what does not fit even then is
   * read for once more.
   */
  async #read(reading = 1): Promise<void> {
    const loaded = await this.#parts.log.load(this.#position);
    const state = this.#state;
    if (state.name !== "opening" && state.name !== "repairing") return undefined;
    this.#position = loaded.position;
    // Still not live: what delivering causes to be announced waits for its turn.
    loaded.apply();
    // The last member may have left over what it was given.
    if (this.#state !== state) return undefined;
    this.#tellEchoes();
    // What the reading knew of it has in it, or has not any more.
    const ahead = state.waiting.filter(({ link }) => link && link.offset > loaded.position.offset);
    this.#state = { name: "live" };
    for (const [index, publication] of ahead.entries()) {
      if (this.#take(publication)) continue;
      if (reading < MOST_READINGS) return this.#repair(ahead.slice(index), reading + 1);
    }
    return undefined;
  }
}

function notFollowed(): Error {
  return new Error("It is not followed any more.");
}
