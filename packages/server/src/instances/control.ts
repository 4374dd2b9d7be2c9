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
/** The longest time that `issue` waits for the other instances to carry out an order. */
const ANSWER_MS = 1_000;
/**
 * How far apart the wall clocks of two instances may be. An order that is older than an instance by
 * more than this does not apply to the instance's sessions. Clocks decide only if nothing else
 * tells whether the order or the instance came first: at the first read of the log, and after a
 * roll-back of the store.
 */
const SKEW_MS = 5_000;

export interface ControlParts {
  readonly id: string;
  readonly link: BrokerLink;
  readonly topics: Topics;
  readonly environment: ServerEnvironment;
  readonly logger: Logger;
  readonly rpc: InstanceRpc;
  /**
   * The longest time between the check of a credential and the opening of the session.
   * Milliseconds.
   */
  readonly judgementMs: number;
  /**
   * Carries out an order of another instance. Returns the number that the issuing instance adds to
   * the result.
   */
  apply(order: Order, place: OrderPlace): Promise<number> | number;
  /** An order of this instance, already carried out here, has received an offset in the log. */
  placed(place: OrderPlace): void;
  /** Orders may have been lost and cannot be recovered. */
  lost(): void;
}

/**
 * Sends orders to all instances, such as "end the sessions of this user". The orders are a log in
 * the broker that every instance follows from the beginning. An order whose announcement is lost is
 * therefore recovered in the same way as a channel's event: when the next order arrives, or within
 * 20 s if no order follows. Questions to one instance go through `InstanceRpc` instead.
 */
export class Control {
  readonly #parts: ControlParts;
  /**
   * When this instance started, by its wall clock. Milliseconds since 1970, like the `at` of an
   * order.
   */
  readonly #startedAt: number;
  readonly #opening: RetryQueue<string>;
  /**
   * The ids of the latest orders, in order. If a store was rolled back and returns an order again,
   * the order is not carried out twice.
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

  /**
   * The position up to which this instance knows the orders; undefined if the log cannot be
   * followed.
   */
  async known(): Promise<Position | undefined> {
    const follower = this.#follower;
    await follower?.opened.catch(() => undefined);
    return follower?.position;
  }

  /**
   * Sends an order to all other instances. Resolves with the sum of the received counts when all
   * live instances have carried out the order, or after one second. `id` identifies the order.
   * @throws HoldfastError UNAVAILABLE (rejects) if the broker cannot be reached. The order may then
   *   have reached some instances or none.
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
   * Reads the whole log, because a read from the last known offset could miss an order: after a
   * roll-back of the store, a new order may have an offset that an older order had before.
   */
  async #load(from: Position | undefined): Promise<TopicReading> {
    const reading = await this.#parts.link.read(TOPIC, { log: { after: 0, most: LOG.size }, ttlMs: LOG.ttlMs });
    const { position } = reading;
    const events = reading.events as readonly LinkedPublication[];
    const verdict = from && continuation(from, { position, items: events });
    return {
      position,
      apply: () => {
        // If the log continues the one that this instance followed, its new orders were issued
        // during this instance's lifetime. The clocks are not needed.
        const known = verdict?.ok ? from!.offset : Number.POSITIVE_INFINITY;
        for (const event of events) this.#take(event, event.link.offset > known);
        if (verdict?.ok !== false) return;
        this.#parts.logger.warn(
          { reset: verdict.reset },
          "orders of other instances may have been lost, started to reauthorize every connection",
        );
        this.#parts.lost();
      },
    };
  }

  /** `isRecent` is true if the order is known to be newer than this instance. */
  #take({ body, link: { id, offset } }: LinkedPublication, isRecent: boolean): void {
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    if (this.#seen.size > LOG.size) this.#seen.delete(this.#seen.keys().next().value!);
    const issued = readOrder(body);
    if (!issued) return this.#parts.logger.error({}, "ignored an order that could not be read");
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
      this.#parts.logger.error({ order: order.kind, err: error }, "order of another instance failed");
    }
  }
}
