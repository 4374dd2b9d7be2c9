import type { ClientMessage, Position, ServerMessage } from "@holdfast/protocol";
import type { Publication } from "../../src/broker/broker.js";
import type { AcceptedPublication, SimBroker } from "../support/sim-broker.js";

/** What the store had of a topic from a moment on; undefined: it knew nothing of it. */
interface Stage {
  readonly from: number;
  readonly position: Position | undefined;
  readonly log: readonly Publication[];
  /** Its last publication, which leads to all before it, also to those that its log has no more. */
  readonly top: AcceptedPublication | undefined;
  /**
   * When its log runs out, if nothing more is published; by the monotonic clock, as the store has
   * it.
   */
  readonly logUntil: number;
}

interface Asked {
  readonly at: number;
  readonly positions: ReadonlyMap<string, Position>;
}

/** How long a reading may have been on its way when members are told of what it has shown. */
const READING_MS = 1_000;

/**
 * Compares each reset that a client is told with what the store had while it was asked for: the
 * reason has to be true at some moment in between. So a client whose missed events were all there,
 * all the time, has to be given them.
 *
 * `fork` is judged by the whole chain that leads to where the store stood, and not by what is left
 * of its log: an instance that remembers more than the store may prove it of a position whose
 * successor is trimmed already. Of such a position `trimmed` is true as well, for an instance that
 * remembers no more than the store cannot know better. `trimmed` of a position that has its
 * successor in the log, or `fork` of one that is on the chain, is true of none.
 */
export class ResetChecker {
  readonly broken: string[] = [];
  /** How many resets it has looked at. */
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

  /** A client says this on a connection. */
  says(connection: object, frame: string): void {
    const message = JSON.parse(frame) as ClientMessage;
    if (message.type !== "subscribe") return;
    const positions = message.data.channels.flatMap((wanted): [string, Position][] =>
      typeof wanted === "string" || !wanted.position ? [] : [[wanted.channel, wanted.position]],
    );
    this.#of(connection).asked.set(`${message.correlation_id}`, { at: this.#now(), positions: new Map(positions) });
  }

  /** And is told this. */
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
    // The one that was there at the beginning, and those that came since.
    const during = stages.filter((_, index) => (stages[index + 1]?.from ?? Number.POSITIVE_INFINITY) >= since);
    const could = new Set(during.flatMap((stage) => this.#verdicts(stage, from)));
    if (could.has(reason)) return;
    const truth = [...could].join(" or ");
    this.broken.push(`${topic}: told ${reason} at ${JSON.stringify(from)}, though the store says ${truth}`);
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

  /** What the store has now, where that is not what it had before. */
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

/** Whether a chain that ends here leads through this position. */
function isOnChain({ offset, id }: Position, top: AcceptedPublication | undefined): boolean {
  let at = top;
  while (at && at.publication.link!.offset > offset) at = at.previous;
  return at ? at.publication.link!.offset === offset && at.publication.link!.id === id : offset === 0 && id === "";
}
