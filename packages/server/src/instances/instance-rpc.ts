import type { BrokerLink, Publication } from "../broker/broker.js";
import type { Topics } from "../log/topics.js";
import type { ServerEnvironment } from "../environment.js";
import type { Logger } from "../observe/logger.js";
import { RetryQueue } from "../async/retry-queue.js";
import { type Question, readQuestion } from "./instance-messages.js";

export interface InstanceRpcParts {
  /** The id of this instance. */
  readonly id: string;
  readonly link: BrokerLink;
  readonly topics: Topics;
  readonly environment: ServerEnvironment;
  readonly logger: Logger;
}

/**
 * The outcome of a question: the answer, no answer in time (`silent`), or an instance that no
 * longer exists (`gone`).
 */
export type Asked =
  { readonly kind: "answer"; readonly answer: unknown } | { readonly kind: "silent" } | { readonly kind: "gone" };

type Answer = (question: Question) => unknown;

const topicOf = (instance: string): string => `$inbox:${instance}`;

/**
 * Sends questions to other instances and answers theirs. Each instance has a topic of its own in
 * the broker. A question is sent once; a caller that needs an answer asks again. Orders to all
 * instances are a log and belong to `Control`.
 */
export class InstanceRpc {
  readonly #parts: InstanceRpcParts;
  readonly #answer: Answer;
  readonly #pending = new Map<string, { readonly to: string; settle(asked: Asked): void }>();
  /** Listeners for answers to a name that all instances know, such as the id of an order. */
  readonly #gathering = new Map<string, (from: string, answer: unknown) => void>();
  readonly #subscribing: RetryQueue<string>;

  constructor(parts: InstanceRpcParts, answer: Answer) {
    this.#parts = parts;
    this.#answer = answer;
    const topic = topicOf(parts.id);
    parts.topics.follow(topic, { receive: (publication) => this.#receive(publication) });
    this.#subscribing = new RetryQueue(parts.environment, (name) => parts.link.subscribe(name));
    this.#subscribing.enqueue(topic);
  }

  /**
   * Sends a question and waits at most `timeoutMs`. Never rejects: if the question cannot be sent,
   * the outcome is `silent`.
   */
  async ask(instance: string, question: Question, timeoutMs: number): Promise<Asked> {
    const id = this.#parts.environment.newId();
    return new Promise((resolve) => {
      const settle = (asked: Asked): void => {
        if (!this.#pending.delete(id)) return;
        cancel();
        resolve(asked);
      };
      const cancel = this.#parts.environment.after(timeoutMs, () => settle({ kind: "silent" }));
      this.#pending.set(id, { to: instance, settle });
      this.#send(instance, { id, from: this.#parts.id, question });
    });
  }

  /**
   * Calls `hear` for every answer to this name, with the instance that sent the answer. Returns a
   * function that stops listening.
   */
  gather(name: string, hear: (from: string, answer: unknown) => void): () => void {
    this.#gathering.set(name, hear);
    return () => void this.#gathering.delete(name);
  }

  /**
   * Sends an answer under a name that the receiver knows: the id of its question or of its order.
   */
  reply(instance: string, name: string, answer: unknown): void {
    this.#send(instance, { to: name, from: this.#parts.id, answer });
  }

  /** These instances are gone, so their pending questions are settled. */
  gone(instances: readonly string[]): void {
    for (const { to, settle } of [...this.#pending.values()]) if (instances.includes(to)) settle({ kind: "gone" });
  }

  close(): void {
    this.#subscribing.close();
    const topic = topicOf(this.#parts.id);
    this.#parts.topics.unfollow(topic);
    this.#parts.link.unsubscribe(topic);
    for (const { settle } of [...this.#pending.values()]) settle({ kind: "silent" });
    this.#gathering.clear();
  }

  #send(instance: string, message: object): void {
    this.#parts.link.publish(topicOf(instance), "", JSON.stringify(message)).catch((error: unknown) =>
      // The question's timeout reports the missing answer.
      this.#parts.logger.debug({ instance, err: error }, "message to another instance could not be sent"),
    );
  }

  #receive({ body }: Publication): void {
    const message = parsed(body);
    if (!message || typeof message["from"] !== "string") return this.#strange();
    const { from, id, to } = message;
    if (typeof to === "string") {
      this.#pending.get(to)?.settle({ kind: "answer", answer: message["answer"] });
      return this.#gathering.get(to)?.(from, message["answer"]);
    }
    const question = readQuestion(message["question"]);
    if (typeof id !== "string" || !question) return this.#strange();
    void this.#respond(from, id, question);
  }

  async #respond(from: string, id: string, question: Question): Promise<void> {
    try {
      this.reply(from, id, await this.#answer(question));
    } catch (error) {
      this.#parts.logger.error({ question: question.kind, err: error }, "question of another instance failed");
    }
  }

  #strange(): void {
    this.#parts.logger.error({}, "ignored a message from another instance that could not be read");
  }
}

function parsed(text: string): { readonly [key: string]: unknown; readonly from?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
