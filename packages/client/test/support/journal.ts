import type { Position, ServerMessage, ServerMessageOf } from "@holdfast/protocol";
import type { Channel } from "../../src/channel.js";
import type { BaseOptions } from "../../src/options.js";
import type { agents } from "./agents.js";
import { answers, grant } from "./behaviours.js";
import type { Behaviour } from "./scripted-socket.js";
import { testClient } from "./test-client.js";

/** The journal of a server with positions: the n-th event is the number n with the id `i<n>`. */

type Metadata = Partial<{ offset: number; id: string; prev: string }>;
type Event = ServerMessageOf<"event">;

const idOf = (offset: number): string => (offset > 0 ? `i${offset}` : "");

export const at = (offset: number, epoch = "e1"): Position => ({ epoch, offset, id: idOf(offset) });

export const written = (offset: number, changes: Metadata = {}, data: unknown = offset): Event => ({
  type: "event",
  channel: "journal",
  event: "written",
  data,
  metadata: { offset, id: idOf(offset), prev: idOf(offset - 1), ...changes },
});

export const missed = (...offsets: number[]): { missed: Event[]; position: Position } => ({
  missed: offsets.map((offset) => written(offset)),
  position: at(offsets.at(-1)!),
});

/**
 * Creates a client of the journal. The server answers each `subscribe` with the next of these
 * results, and afterwards with an empty list of missed events.
 */
export function onJournal(verdicts: object[], options: Partial<BaseOptions> = {}) {
  const given = [...verdicts];
  /** While true, a `subscribe` has no answer until the test calls `answer`. */
  const server = { holds: false };
  const good = answers({ subscribe: () => given.shift() ?? { missed: [] } });
  const behaviour: Behaviour = {
    opened: (attempt) => good.opened?.(attempt),
    received(attempt, message) {
      if (message.type !== "subscribe" || !server.holds) good.received?.(attempt, message);
    },
  };
  const { client, world } = testClient(behaviour, options);
  const journal: Channel<(typeof agents)["definition"], "journal"> = client.channel("journal");
  const heard: unknown[] = [];
  return {
    client,
    world,
    journal,
    server,
    heard,
    listen() {
      journal.on("written", (line) => heard.push(line));
      journal.onReset(({ reason }) => heard.push(reason));
    },
    receive: (...messages: ServerMessage[]): void => messages.forEach((each) => world.sockets.last.receive(each)),
    /** The channels that the newest connection subscribed to, per message. */
    asked: (): unknown[] => world.sockets.last.of("subscribe").map(({ data }) => data.channels),
    /** Answers the last subscribe. */
    answer: (verdict: object): void =>
      grant(world.sockets.last, world.sockets.last.of("subscribe").at(-1)!, () => verdict),
  };
}

export const from = (position: Position): unknown[] => [{ channel: "journal", position }];
