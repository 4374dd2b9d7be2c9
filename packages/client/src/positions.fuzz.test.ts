import type { ServerMessage } from "@holdfast/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { answers } from "../test/support/behaviours.js";
import { written as writtenAt } from "../test/support/journal.js";
import type { Attempt, Behaviour } from "../test/support/scripted-socket.js";
import { pass, settle, testClient, withFakeTime } from "../test/support/test-client.js";
import { keepPositions } from "./keep-positions.js";

withFakeTime();

/**
 * A server that loses, repeats and swaps live messages, forgets the history, is down for a while
 * and loses the connection at any time. The history itself is correct, so the answers to
 * `subscribe` are correct. The n-th event of an epoch has the id `<epoch>.<n>`.
 */
type Step =
  | { do: "publish"; live: "sent" | "lost" | "twice" | "late" }
  | { do: "repeat"; back: number }
  | { do: "cut" | "reset" | "fork" | "trim" | "down" | "up" | "swap" | "restart" }
  | { do: "pass"; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      live: fc.constantFrom("sent", "sent", "sent", "lost", "twice", "late"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("repeat" as const), back: fc.integer({ min: 0, max: 4 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("cut", "cut", "reset", "fork", "trim", "down", "up", "swap", "restart"),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 4_000 }) }) },
);

/**
 * A history: the epoch, and the numbers that the application receives, which are unique in a test.
 */
interface History {
  epoch: string;
  lines: number[];
  /** Events up to this offset are no longer stored. */
  trimmed: number;
}

function journalServer() {
  let history: History = { epoch: "e1", lines: [], trimmed: 0 };
  let line = 0;
  let epochs = 1;
  let down = false;
  let attempt: Attempt | undefined;
  let joined = false;
  let late: ServerMessage[] = [];
  /** For each line, the previous line of the same history; 0 for the first line of an epoch. */
  const before = new Map<number, number>();
  /** The lines after which a client was told to begin. */
  const starts = new Set<number>();
  const idAt = (offset: number): string => (offset > 0 ? `${history.epoch}.${history.lines[offset - 1]}` : "");
  const position = () => ({ epoch: history.epoch, offset: history.lines.length, id: idAt(history.lines.length) });
  const start = () => {
    starts.add(history.lines.at(-1) ?? 0);
    return position();
  };
  const append = (): void => {
    before.set(++line, history.lines.at(-1) ?? 0);
    history.lines.push(line);
  };
  const eventAt = (offset: number): ServerMessage =>
    writtenAt(offset, { id: idAt(offset), prev: idAt(offset - 1) }, history.lines[offset - 1]);

  const verdict = (asked: unknown): object => {
    if (down) return { ok: false, error: { code: "UNAVAILABLE", message: "Down." } };
    joined = true;
    late = [];
    const from = (asked as { position?: { epoch: string; offset: number; id: string } }).position;
    if (!from) return { position: start() };
    if (from.epoch !== history.epoch) return { reset: "epoch", position: start() };
    if (from.offset > history.lines.length || idAt(from.offset) !== from.id)
      return { reset: "fork", position: start() };
    if (from.offset < history.trimmed) return { reset: "trimmed", position: start() };
    const missed = history.lines.slice(from.offset).map((_, index) => eventAt(from.offset + index + 1));
    return { missed, position: position() };
  };

  const good = answers();
  const behaviour: Behaviour = {
    opened(next) {
      attempt = next;
      joined = false;
      late = [];
      next.open();
    },
    received(at, message) {
      if (message.type !== "subscribe") return good.received!(at, message);
      // Each channel is answered in a separate part.
      for (const asked of message.data.channels) {
        const channel = typeof asked === "string" ? asked : asked.channel;
        const results = [{ ok: true, channel, ...verdict(asked) }];
        const data = { success: true, subscribed: [channel], results };
        at.receive({ type: "subscribe_response", correlation_id: message.correlation_id, data } as ServerMessage);
      }
    },
  };
  const live = (...messages: ServerMessage[]): void => {
    if (joined && attempt && !attempt.ended && !attempt.closed) for (const each of messages) attempt.receive(each);
  };
  const begin = (next: History): void => {
    history = next;
    late = [];
  };

  return {
    behaviour,
    before,
    starts,
    newest: () => line,
    publish(how: "sent" | "lost" | "twice" | "late") {
      append();
      const event = eventAt(history.lines.length);
      if (how === "late") late.push(event);
      else if (how === "twice") live(event, event);
      else if (how === "sent") live(event, ...late.splice(0));
    },
    repeat: (back: number) => void (history.lines.length > back && live(eventAt(history.lines.length - back))),
    cut: () => void (attempt && !attempt.ended && !attempt.closed && attempt.end()),
    /**
     * The history was rolled back and written to again under the same epoch: other events at the
     * same offsets.
     */
    fork() {
      const lines = history.lines.slice(0, -2);
      begin({ ...history, lines, trimmed: Math.min(history.trimmed, lines.length) });
      append();
    },
    epoch: () => begin({ epoch: `e${++epochs}`, lines: [], trimmed: 0 }),
    trim: () => void (history.trimmed = history.lines.length),
    reset: () => live({ type: "reset", channel: "journal", data: { reason: "trimmed", position: start() } }),
    down(is: boolean) {
      down = is;
      if (!is || !joined) return;
      live({ type: "unsubscribed", channel: "journal", data: { code: "UNAVAILABLE", message: "Down." } });
      joined = false;
    },
  };
}

/**
 * Asserts that between two resets the lines arrive in the order of the history, without repetition
 * or gap.
 */
async function run(steps: Step[], pauseMs: number): Promise<void> {
  const server = journalServer();
  const items = new Map<string, string>();
  /**
   * The lines that the application has finished with, across all restarts. After a restart, the
   * earlier client neither receives nor stores anything.
   */
  const seen: (number | "reset")[] = [];
  const start = () => {
    let over = false;
    const positions = keepPositions({
      getItem: (key) => items.get(key) ?? null,
      setItem: (key, value) => void (over || items.set(key, value)),
    });
    const { client, world } = testClient(server.behaviour, { positions });
    const journal = client.channel("journal");
    journal.on("written", async (line) => {
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (!over) seen.push(line);
    });
    journal.onReset(() => void (over || seen.push("reset")));
    return {
      world,
      stop() {
        over = true;
        client.disconnect();
      },
    };
  };
  let life = start();
  await settle();
  for (const each of steps) {
    switch (each.do) {
      case "publish":
        server.publish(each.live);
        break;
      case "repeat":
        server.repeat(each.back);
        break;
      case "pass":
        await pass(each.ms);
        break;
      case "swap":
        server.epoch();
        break;
      case "down":
      case "up":
        server.down(each.do === "down");
        break;
      case "restart": {
        // The restart waits for a turn in which no handler finished, so that the positions of
        // finished handlers are stored.
        let before: number;
        do {
          before = seen.length;
          await pass(1);
        } while (seen.length > before);
        life.stop();
        await pass(1);
        life = start();
        await settle();
        break;
      }
      default:
        server[each.do]();
    }
    if (each.do !== "publish") await settle();
  }
  // At the end the client recovers: the next event reveals lost messages.
  server.down(false);
  server.cut();
  await pass(40_000);
  server.publish("sent");
  await pass(pauseMs * 200 + 1_000);
  life.stop();
  await pass(10_000);

  expect(life.world.errors).toEqual([]);
  expect(seen.at(-1)).toBe(server.newest());
  let last: number | undefined;
  for (const what of seen) {
    if (what !== "reset") {
      const before = server.before.get(what)!;
      if (last === undefined) expect(server.starts).toContain(before);
      else expect(before).toBe(last);
    }
    last = what === "reset" ? undefined : what;
  }
}

test.each([0, 3])(
  "[RS19] after any loss, repetition, swap, fork or cut, the application receives each event once and in order, or a reset (handlers that take %i ms)",
  async (pauseMs) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => run(steps, pauseMs)),
      { numRuns: 150 },
    );
  },
  60_000,
);
