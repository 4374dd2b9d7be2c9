import type { ClientMessage, Position, ServerMessage } from "@holdfast/protocol";
import type { Publication } from "../../src/broker/broker.js";
import type { AcceptedPublication, SimBroker } from "../support/sim-broker.js";

/** The state of a topic in the store from one moment until the next change. */
interface Stage {
  readonly from: number;
  readonly position: Position | undefined;
  readonly log: readonly Publication[];
  /** The last publication. Its `previous` chain includes publications that the log has trimmed. */
  readonly top: AcceptedPublication | undefined;
  /**
   * When the log expires if nothing more is published, by the store's monotonic clock.
   */
  readonly logUntil: number;
}

interface Asked {
  readonly at: number;
  readonly positions: ReadonlyMap<string, Position>;
}

/** The longest time between a reading of the store and the reset that it causes. */
const READING_MS = 1_000;

/**
 * Compares each reset with the states of the store between the question and the answer. The reason
 * must be true for at least one of these states. If all missed events were in the store the whole
 * time, no reason is true and the server has to replay them.
 *
 * `fork` is true if the chain of publications that leads to the store's position does not contain
 * the client's position. The checker uses the whole chain, because an instance may buffer more
 * events than the store keeps. `trimmed` is true if the successor of the client's position is no
 * longer in the log. Both may be true for a trimmed position on a lost branch, because an instance
 * that buffers no more than the store cannot tell them apart.
 */
export class ResetChecker {
  readonly broken: string[] = [];
  /** The number of resets that were compared. */
  checked = 0;
  readonly #broker: SimBroker;
  readonly #now: () => number;
  readonly #stages = new Map<string, Stage[]>();
  readonly #connections = new WeakMap<object, { asked: Map<string, Asked>; at: Map<string, Position> }>();

  constructor(broker: SimBroker, topics: readonly string[], now: () => number) {
    this.#broker = broker;
    this.#now = now;
    for (const topic of topics) this.#stages.set(topic, []);
    broker.store.onChange = () => this.#note();
    this.#note();
  }

  /** Called with each frame that a client sends. */
  says(connection: object, frame: string): void {
    const message = JSON.parse(frame) as ClientMessage;
    if (message.type !== "subscribe") return;
    const positions = message.data.channels.flatMap((wanted): [string, Position][] =>
      typeof wanted === "string" || !wanted.position ? [] : [[wanted.channel, wanted.position]],
    );
    this.#of(connection).asked.set(`${message.correlation_id}`, { at: this.#now(), positions: new Map(positions) });
  }

  /** Called with each frame that a client receives. */
  hears(connection: object, frame: string): void {
    const message = JSON.parse(frame) as ServerMessage;
    const { asked, at } = this.#of(connection);
    if (message.type === "event" && message.channel !== undefined) return this.#follow(at, message.channel, message);
    if (message.type === "reset") {
      const before = at.get(message.channel);
      if (before) this.#check(message.channel, before, message.data.reason, this.#now() - READING_MS);
      if (message.data.position) at.set(message.channel, message.data.position);
      else at.delete(message.channel);
    }
    if (message.type !== "subscribe_response") return;
    const ask = asked.get(`${message.correlation_id}`);
    for (const result of message.data.results) {
      if (!result.ok) continue;
      const { channel, reset, position, missed } = result;
      const from = ask?.positions.get(channel);
      if (reset !== undefined && from) this.#check(channel, from, reset, ask!.at);
      if (position) at.set(channel, position);
      for (const event of missed ?? []) this.#follow(at, channel, event as ServerMessage);
    }
  }

  #follow(at: Map<string, Position>, channel: string, message: ServerMessage): void {
    const { offset, id } = (message as { metadata?: { offset?: number; id?: string } }).metadata ?? {};
    const before = at.get(channel);
    if (before && offset !== undefined && id !== undefined) at.set(channel, { epoch: before.epoch, offset, id });
  }

  #check(topic: string, from: Position, reason: string, since: number): void {
    this.checked++;
    this.#note();
    const stages = this.#stages.get(topic)!;
    // The state at the beginning and all later states.
    const during = stages.filter((_, index) => (stages[index + 1]?.from ?? Number.POSITIVE_INFINITY) >= since);
    const could = new Set(during.flatMap((stage) => this.#verdicts(stage, from)));
    if (could.has(reason)) return;
    const truth = [...could].join(" or ");
    this.broken.push(`${topic}: received reset ${reason} for ${JSON.stringify(from)}, but the store allows ${truth}`);
  }

  #verdicts({ position, log, top, logUntil }: Stage, from: Position): string[] {
    if (position?.epoch !== from.epoch) return ["epoch"];
    const isBehind = from.offset < position.offset;
    const isTrimmed = isBehind && !log.some(({ link }) => link!.offset === from.offset + 1);
    const hasRunOut = isBehind && this.#now() >= logUntil;
    const verdicts: string[] = isTrimmed || hasRunOut ? ["trimmed"] : [];
    if (!isOnChain(from, top)) verdicts.push("fork");
    else if (!isTrimmed) verdicts.push("replayable");
    return verdicts;
  }

  /** Records the state of each topic that has changed. */
  #note(): void {
    const now = this.#now();
    for (const [name, stages] of this.#stages) {
      const topic = this.#broker.store.topics.get(name);
      const before = stages.at(-1);
      const log = topic ? topic.log : [];
      const isSame =
        before?.position?.epoch === topic?.epoch &&
        before?.position?.id === topic?.id &&
        before?.log.length === log.length;
      if (before && isSame) continue;
      const position = topic && { epoch: topic.epoch, offset: topic.offset, id: topic.id };
      const logUntil = topic ? topic.publishedAt + topic.logTtlMs : Number.POSITIVE_INFINITY;
      stages.push({ from: now, position, log: [...log], top: this.#broker.store.top(name), logUntil });
    }
  }

  #of(connection: object) {
    let known = this.#connections.get(connection);
    if (!known) {
      known = { asked: new Map(), at: new Map() };
      this.#connections.set(connection, known);
    }
    return known;
  }
}

/** Whether the chain of publications that ends with `top` contains the position. */
function isOnChain({ offset, id }: Position, top: AcceptedPublication | undefined): boolean {
  let at = top;
  while (at && at.publication.link!.offset > offset) at = at.previous;
  return at ? at.publication.link!.offset === offset && at.publication.link!.id === id : offset === 0 && id === "";
}
