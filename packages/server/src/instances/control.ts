import type { Position } from "@holdfast/protocol";
import type { BrokerLink } from "../broker/broker.js";
import { continuation } from "../log/continuity.js";
import { Follower, type LinkedPublication, type TopicReading } from "../log/follower.js";
import type { Topics } from "../log/topics.js";
import type { ServerEnvironment } from "../environment.js";
import type { Logger } from "../observe/logger.js";
import type { OrderPlace } from "../session/recent-disconnects.js";
import { RetryQueue } from "../async/retry-queue.js";
import type { InstanceRpc } from "./instance-rpc.js";
import { type Order, readOrder } from "./instance-messages.js";

const TOPIC = "$control";
const LOG = { size: 1_000, ttlMs: 600_000 };
/** How long whoever gives an order waits for the instances to have carried it out. */
const ANSWER_MS = 1_000;
/**
 * How far the wall clocks of instances may be apart: an order that is this much older than an
 * instance is none for who is there. They decide only about orders of which nothing else says
 * whether they are older: those of the first reading, and of one behind a store that was set back.
 */
const SKEW_MS = 5_000;

export interface ControlParts {
  readonly id: string;
  readonly link: BrokerLink;
  readonly topics: Topics;
  readonly environment: ServerEnvironment;
  readonly logger: Logger;
  readonly rpc: InstanceRpc;
  /** The longest time between the judgement of a credential and the session it opens. */
  readonly judgementMs: number;
  /** Carries out what another instance has ordered; what it counts towards the result. */
  apply(order: Order, place: OrderPlace): Promise<number> | number;
  /** An order of this instance, carried out when it was given, has got its place. */
  placed(place: OrderPlace): void;
  /** Orders may have been lost for good. */
  lost(): void;
}

/**
 * Orders to all instances: this user, that session has to go. They are a log that every instance
 * follows from its start, so an announcement that is lost is made up for as it is for channels: at
 * once when the next one comes, and within 20 s when the broker is silent.
 */
export class Control {
  readonly #parts: ControlParts;
  /** A date, as `at` of an order is. */
  readonly #startedAt: number;
  readonly #opening: RetryQueue<string>;
  /**
   * Those of the log that were seen, in order. What a store that was rolled back says again is not
   * done again.
   */
  readonly #seen = new Set<string>();
  #follower: Follower | undefined;

  constructor(parts: ControlParts) {
    this.#parts = parts;
    // oxlint-disable-next-line no-restricted-properties -- compared with a date of another machine
    this.#startedAt = parts.environment.now();
    this.#opening = new RetryQueue(parts.environment, () => this.#open());
    this.#opening.enqueue(TOPIC);
  }

  /** Up to where the orders are known here; undefined while they cannot be followed. */
  async known(): Promise<Position | undefined> {
    const follower = this.#follower;
    await follower?.opened.catch(() => undefined);
    return follower?.position;
  }

  /**
   * Tells all others. Resolves with the sum of what they count, when those that are alive have
   * carried it out or a second has passed. `id` names the order.
   * @throws HoldfastError UNAVAILABLE: then it is not in force elsewhere, or not everywhere
   */
  async issue(id: string, order: Order): Promise<number> {
    const { link, environment, rpc } = this.#parts;
    const answers = new Map<string, number>();
    let check = (): void => {};
    const stop = rpc.gather(id, (from, answer) => {
      answers.set(from, typeof answer === "number" ? answer : 0);
      check();
    });
    try {
      // oxlint-disable-next-line no-restricted-properties -- a date, for other machines
      const body = JSON.stringify({ by: this.#parts.id, at: environment.now(), order });
      const [{ position }, alive] = await Promise.all([
        link.publish(TOPIC, id, body, { log: LOG, key: id }),
        link.instances(),
      ]);
      void this.#follower?.expect(position!.offset);
      const others = [...alive].filter((instance) => instance !== this.#parts.id);
      const haveAll = (): boolean => others.every((instance) => answers.has(instance));
      if (!haveAll())
        await new Promise<void>((resolve) => {
          const cancel = environment.after(ANSWER_MS, resolve);
          check = () => {
            if (!haveAll()) return;
            cancel();
            resolve();
          };
        });
      return [...answers.values()].reduce((sum, count) => sum + count, 0);
    } finally {
      stop();
    }
  }

  close(): void {
    this.#opening.close();
    this.#parts.topics.unfollow(TOPIC);
    this.#follower?.close();
  }

  async #open(): Promise<void> {
    const { topics, link, environment } = this.#parts;
    const follower = new Follower({
      topic: TOPIC,
      link,
      environment,
      log: {
        load: (from) => this.#load(from),
        deliver: (publication) => {
          this.#take(publication, true);
          return true;
        },
        knows: ({ id }) => this.#seen.has(id),
      },
    });
    this.#follower = follower;
    topics.follow(TOPIC, follower);
    try {
      await follower.opened;
    } catch (error) {
      topics.unfollow(TOPIC);
      throw error;
    }
  }

  /**
   * All of it: after a store was rolled back, what is new may stand where something else has been.
   */
  async #load(from: Position | undefined): Promise<TopicReading> {
    const reading = await this.#parts.link.read(TOPIC, { log: { after: 0, most: LOG.size }, ttlMs: LOG.ttlMs });
    const { position } = reading;
    const events = reading.events as readonly LinkedPublication[];
    const verdict = from && continuation(from, { position, items: events });
    return {
      position,
      apply: () => {
        // What continues the log that was followed here was ordered while this instance was there,
        // whatever the clocks say.
        const known = verdict?.ok ? from!.offset : Number.POSITIVE_INFINITY;
        for (const event of events) this.#take(event, event.link.offset > known);
        if (verdict?.ok !== false) return;
        this.#parts.logger.warn(
          { reset: verdict.reset },
          "orders of other instances may have been lost: every permission is asked about again",
        );
        this.#parts.lost();
      },
    };
  }

  /** `isRecent`: it is known to be younger than this instance. */
  #take({ body, link: { id, offset } }: LinkedPublication, isRecent: boolean): void {
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    if (this.#seen.size > LOG.size) this.#seen.delete(this.#seen.keys().next().value!);
    const issued = readOrder(body);
    if (!issued) return this.#parts.logger.error({}, "an order to all instances cannot be read");
    const { by, at, order } = issued;
    if (by === this.#parts.id) return this.#parts.placed({ id, offset });
    const ageMs = isRecent ? 0 : this.#startedAt - SKEW_MS - at;
    if (ageMs > this.#parts.judgementMs) return;
    void this.#carryOut(by, order, { id, offset, isOld: ageMs > 0 });
  }

  async #carryOut(by: string, order: Order, place: OrderPlace): Promise<void> {
    try {
      this.#parts.rpc.reply(by, place.id, await this.#parts.apply(order, place));
    } catch (error) {
      this.#parts.logger.error({ order: order.kind, err: error }, "an order of another instance failed");
    }
  }
}
