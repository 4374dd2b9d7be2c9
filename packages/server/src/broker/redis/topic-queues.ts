import type { Redis } from "ioredis";
import type { Commands, Used } from "./commands.js";
import { unavailable } from "./unavailable.js";

/**
 * Calls in one group. Redis does nothing else while it executes one: 256 publications take it about
 * 5 ms.
 */
const MAX_CALLS = 256;
/** Bytes in one group, unless a single call has more. */
const MAX_BYTES = 512 * 1_024;
/** Calls that may wait while Redis cannot be reached. */
const MAX_WAITING = 1_000;

/** A call and its answer. */
export interface TopicCall<Call> {
  readonly call: Call;
  /** Set once the call is answered. A group that is sent again leaves out the calls that are. */
  isAnswered: boolean;
  answer(value: unknown): void;
}

/**
 * Sends calls of one topic, in their order, and answers each that was executed. It rejects when
 * some were not: with the error of the first of them.
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
 * Calls of a topic take effect in the order in which they were made. Of each topic one group is
 * under way at a time; calls that are made meanwhile wait, and leave together in the next group.
 *
 *   idle ──call──▶ under way ──answered, nothing waits──▶ idle
 *                    ▲    └──answered, calls wait──┐
 *                    └─────────────────────────────┘
 *
 * If two were under way, the second could overtake the first: Redis refuses the first because it
 * has forgotten the script or has moved the slot, executes the second because another instance has
 * brought the script meanwhile, and then the first is sent again.
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
      return Promise.reject(unavailable("Redis cannot be reached. Nothing was stored.", "Try again later."));
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

  /** Sends the next group, again where that may help. Never rejects. */
  async #sendNext(queue: Queue<Call>): Promise<void> {
    let group: readonly WaitingCall<Call>[] | undefined;
    let isAbandoned = false;
    const isOver = (): boolean => (isAbandoned = (group ?? queue.waiting).every((one) => one.isOver()));
    try {
      await this.#commands.attempt(queue.slot, isOver, async (used) => {
        // As late as possible: calls of the same turn leave together. Afterwards it stays as it is.
        group ??= this.#take(queue, MAX_CALLS, MAX_BYTES);
        const left = group.filter((one) => !one.isAnswered && !one.isOver());
        for (const one of left) one.used = used;
        if (left.length > 0) await this.#send(used.client, left);
      });
    } catch (error) {
      // Calls that came after the last of those that were over have not been tried.
      if (!group && isAbandoned) return this.#dropOver(queue);
      // Without a connection all that wait are refused: each of them would wait as long in vain.
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

  /** Their callers have been refused, so they must not take effect later. */
  #dropOver(queue: Queue<Call>): void {
    const left = queue.waiting.filter((one) => !one.isOver());
    this.#waiting -= queue.waiting.length - left.length;
    queue.waiting = left;
  }
}
