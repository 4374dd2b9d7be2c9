import type { Redis } from "ioredis";
import type { Commands, Used } from "./commands.js";
import { unavailable } from "./unavailable.js";

/**
 * The most calls in one group. Redis does nothing else while it executes a group; 256 publications
 * take about 5 ms.
 */
const MAX_CALLS = 256;
/** The most bytes in one group, unless a single call has more. */
const MAX_BYTES = 512 * 1_024;
/** The most calls that may wait while Redis cannot be reached. */
const MAX_WAITING = 1_000;

/** A call that waits for its answer. */
export interface TopicCall<Call> {
  readonly call: Call;
  /** True once the call is answered. If the group is sent again, answered calls are left out. */
  isAnswered: boolean;
  answer(value: unknown): void;
}

/**
 * Sends calls of one topic in order, and answers each call that Redis executed. Rejects with the
 * error of the first call that was not executed.
 */
export type SendGroup<Call> = (client: Redis, calls: readonly TopicCall<Call>[]) => Promise<void>;

interface WaitingCall<Call> extends TopicCall<Call> {
  readonly bytes: number;
  isOver(): boolean;
  refuse(error: unknown): void;
  used: Used | undefined;
}

interface Queue<Call> {
  readonly slot: number;
  waiting: WaitingCall<Call>[];
}

/**
 * Executes the calls of each topic in the order in which they were made. Each topic has at most one
 * group of calls in flight. Calls that are made meanwhile wait and leave together in the next
 * group.
 *
 *   idle ──call──▶ in flight ──answered, no call waits──▶ idle
 *                    ▲    └──answered, calls wait──┐
 *                    └─────────────────────────────┘
 *
 * With two groups in flight, the second could overtake the first. Redis may refuse the first group
 * because the script is not loaded or the slot has moved, and still execute the second because
 * another instance has loaded the script meanwhile. The first group would then be sent again, after
 * the second.
 */
export class TopicQueues<Call> {
  readonly #commands: Commands;
  readonly #send: SendGroup<Call>;
  readonly #queues = new Map<string, Queue<Call>>();
  #waiting = 0;

  constructor(commands: Commands, send: SendGroup<Call>) {
    this.#commands = commands;
    this.#send = send;
  }

  add(topic: string, slot: number, call: Call, bytes: number): Promise<unknown> {
    if (this.#waiting >= MAX_WAITING && !this.#commands.isUp)
      return Promise.reject(
        unavailable("Redis cannot be reached. Nothing was stored.", "Check that Redis is running, and try again."),
      );
    let added: WaitingCall<Call> | undefined;
    return this.#commands.deadlines.within(
      (isOver) =>
        new Promise((resolve, reject) => {
          added = {
            call,
            bytes,
            isOver,
            isAnswered: false,
            used: undefined,
            answer(value) {
              this.isAnswered = true;
              resolve(value);
            },
            refuse: reject,
          };
          this.#enqueue(topic, slot, added);
        }),
      () => this.#commands.tooLate(added?.used),
    );
  }

  #enqueue(topic: string, slot: number, added: WaitingCall<Call>): void {
    this.#waiting++;
    const queue = this.#queues.get(topic);
    if (queue) return void queue.waiting.push(added);
    const begun: Queue<Call> = { slot, waiting: [added] };
    this.#queues.set(topic, begun);
    void this.#drain(topic, begun);
  }

  async #drain(topic: string, queue: Queue<Call>): Promise<void> {
    while (queue.waiting.length > 0) await this.#sendNext(queue);
    this.#queues.delete(topic);
  }

  /** Sends the next group, and retries if that may help. Never rejects. */
  async #sendNext(queue: Queue<Call>): Promise<void> {
    let group: readonly WaitingCall<Call>[] | undefined;
    let isAbandoned = false;
    const isOver = (): boolean => (isAbandoned = (group ?? queue.waiting).every((one) => one.isOver()));
    try {
      await this.#commands.attempt(queue.slot, isOver, async (used) => {
        // The group is taken as late as possible, so that calls of the same turn leave together.
        // Later attempts send the same group.
        group ??= this.#take(queue, MAX_CALLS, MAX_BYTES);
        const left = group.filter((one) => !one.isAnswered && !one.isOver());
        for (const one of left) one.used = used;
        if (left.length > 0) await this.#send(used.client, left);
      });
    } catch (error) {
      // The attempt ended because all its calls had timed out. Newer calls stay in the queue.
      if (!group && isAbandoned) return this.#dropOver(queue);
      // If no connection could be made, all waiting calls are rejected, because each of them would
      // wait as long in vain.
      for (const one of group ?? this.#take(queue)) if (!one.isAnswered) one.refuse(error);
    }
  }

  #take(queue: Queue<Call>, maxCalls = Infinity, maxBytes = Infinity): readonly WaitingCall<Call>[] {
    this.#dropOver(queue);
    let count = 0;
    for (let bytes = 0; count < Math.min(queue.waiting.length, maxCalls); count++) {
      bytes += queue.waiting[count]!.bytes;
      if (count > 0 && bytes > maxBytes) break;
    }
    this.#waiting -= count;
    return queue.waiting.splice(0, count);
  }

  /**
   * Removes the calls that have timed out. Their promises were rejected, so the calls must not take
   * effect later.
   */
  #dropOver(queue: Queue<Call>): void {
    const left = queue.waiting.filter((one) => !one.isOver());
    this.#waiting -= queue.waiting.length - left.length;
    queue.waiting = left;
  }
}
