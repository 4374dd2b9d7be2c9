import { links } from "@holdfast/protocol/internal";
import type { Cancel, Link, Position } from "@holdfast/protocol";
import type { BrokerLink, Publication } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";

/** A publication with a link in the chain of its topic. */
export type LinkedPublication = Publication & { readonly link: Link };

/** The result of reading a topic. */
export interface TopicReading {
  /** The position of the topic when it was read. */
  readonly position: Position;
  /** Takes over the events that were read. Called synchronously with the change of the position. */
  apply(): void;
}

/** Takes over the events that a `Follower` reads and receives. A log never calls its `Follower`. */
export interface TopicLog {
  /**
   * Reads the topic. `from` is the position that is already known. It is undefined at the first
   * reading.
   */
  load(from: Position | undefined): Promise<TopicReading>;
  /**
   * Takes the next publication in order. Returns false if the publication could not be applied; the
   * `Follower` then reads the topic again.
   */
  deliver(publication: LinkedPublication): boolean;
  /** Whether the publication with this link was delivered before. */
  knows(link: Link): boolean;
}

export interface FollowerParts {
  readonly topic: string;
  readonly link: BrokerLink;
  readonly environment: ServerEnvironment;
  readonly log: TopicLog;
}

/**
 * Delay before a failed reading is retried. Short, so that the return of the store is noticed soon.
 */
const RETRY_MS = 250;
/**
 * The most announcements that wait while the topic is read. Beyond that, all but the latest are
 * dropped. The latest announcement then does not link, so the topic is read again.
 */
const MOST_WAITING = 1_000;
/**
 * After this many readings, announcements that the store does not confirm are ignored, because no
 * instance of this server made those announcements.
 */
const MOST_READINGS = 3;
/**
 * How long `publish` waits at most until the members on this instance have the event. Usually the
 * event arrives before the store's answer.
 */
const ECHO_MS = 100;
/**
 * If a publication of this instance has not been announced after this time, the announcement is
 * taken as lost.
 */
const LOST_MS = 1_000;

/** A `publish` that waits for the announcement of its own publication. */
interface Echo {
  readonly offset: number;
  readonly resolve: () => void;
  readonly cancel: Cancel;
}

/**
 *   opening ──read──▶ live ──does not link──▶ repairing ──read──▶ live
 *      └──failed──▶ closed                       └──failed──▶ retry after RETRY_MS
 *
 * While the topic is read, announcements wait. `close` leads from any state to `closed`.
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
 * Follows one topic of the broker for all clients of this instance, in order and without a gap. If
 * an announcement does not link to the previous one, the `Follower` reads the topic from the store.
 * One reading serves all subscribed clients.
 */
export class Follower {
  readonly #parts: FollowerParts;
  #state: FollowerState = { name: "opening", waiting: [] };
  #position: Position | undefined;
  /**
   * Resolves when the topic is followed. Rejects if the broker cannot be reached or the `Follower`
   * is closed meanwhile. After a rejection, the `Follower` is closed.
   */
  readonly opened: Promise<void>;
  #expected = 0;
  #cancelLost: Cancel | undefined;
  readonly #echoes = new Set<Echo>();

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.opened = this.#open();
    // Callers that wait receive the failure. This handler prevents an unhandled rejection if no
    // caller waits.
    this.opened.catch(() => undefined);
  }

  get isOpen(): boolean {
    return this.#state.name === "live" || this.#state.name === "repairing";
  }

  /** The position of this instance. Undefined until the topic was read. */
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

  /**
   * Reads the topic again, or waits for the reading in progress. Announcements wait meanwhile.
   * Rejects only if the `Follower` is closed.
   */
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
   * Expects the announcement of an offset that the store is known to have. Resolves when the
   * publication at this offset has been delivered on this instance, or after `ECHO_MS`. Returns
   * undefined if the publication was already delivered, or if the topic is not open. If the
   * announcement does not arrive within `LOST_MS`, the topic is read.
   */
  expect(offset: number): Promise<void> | undefined {
    if (!this.isOpen || offset <= this.#position!.offset) return undefined;
    this.#expected = Math.max(this.#expected, offset);
    const { environment } = this.#parts;
    this.#cancelLost ??= environment.afterIdle(LOST_MS, () => {
      this.#cancelLost = undefined;
      const expected = this.#expected;
      // Cleared, because the store may not reach the offset again after a roll-back.
      this.#expected = 0;
      if (this.#state.name === "live" && expected > this.#position!.offset) void this.#repair([]);
    });
    return new Promise((resolve) => {
      const echo: Echo = { offset, resolve, cancel: environment.after(ECHO_MS, () => this.#heard(echo)) };
      this.#echoes.add(echo);
    });
  }

  /** Resolves when the running repair has finished. Undefined if no repair is running. */
  get repaired(): Promise<void> | undefined {
    return this.#state.name === "repairing" ? this.#state.done : undefined;
  }

  /**
   * Compares positions. `theirs` is the store's position, requested when this instance was at
   * `mine`. If the positions differ, the topic is read. Resolves when the reading has finished.
   * Returns undefined if no reading is needed.
   */
  compare(mine: Position, theirs: Position | undefined): Promise<void> | undefined {
    // If announcements have arrived and linked meanwhile, they prove more than the comparison.
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

  /**
   * Takes a publication that links to the position. Returns false if the publication neither links
   * nor is known already.
   */
  #take(publication: Publication): boolean {
    const { link } = publication;
    if (this.#state.name !== "live") {
      // Delivering the previous publication has started a reading, or closed this `Follower`.
      this.receive(publication);
      return true;
    }
    const position = this.#position!;
    // A publication without a link was not made by a server.
    if (!link) return true;
    if (links(position, link)) {
      this.#position = { epoch: position.epoch, offset: link.offset, id: link.id };
      // If the delivery has closed this `Follower`, there is nothing left to read.
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
   * Reads the topic and then takes the announcements that have waited. If a waiting announcement
   * does not link, the topic is read again, up to `MOST_READINGS` readings in total.
   */
  async #read(reading = 1): Promise<void> {
    const loaded = await this.#parts.log.load(this.#position);
    const state = this.#state;
    if (state.name !== "opening" && state.name !== "repairing") return undefined;
    this.#position = loaded.position;
    // The state is not live yet, so announcements that the delivery causes wait for their turn.
    loaded.apply();
    // The delivery may have made the last member leave, which closes this `Follower`.
    if (this.#state !== state) return undefined;
    this.#tellEchoes();
    // Older announcements are contained in the reading, or were rolled back.
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
  return new Error("The topic is no longer followed.");
}
