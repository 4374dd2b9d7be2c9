import { beforeEach, describe, expect, test } from "vitest";
import { type Batch, Frame } from "../transport/frame.js";
import type { ServerSocket } from "../transport/socket.js";
import { Departures, Outbox } from "./outbox.js";

let soon: (() => void)[];
let later: (() => void)[];
let departures: Departures;
const LIMIT = 100;
beforeEach(() => {
  soon = [];
  later = [];
  departures = new Departures(
    {
      now: () => 0,
      monotonic: () => 0,
      after: () => () => {},
      afterIdle: () => () => {},
      every: () => () => {},
      random: () => 0,
      newId: () => "",
      soon: (run) => void soon.push(run),
      atEndOfTurn: (run) => void later.push(run),
    },
    LIMIT,
  );
});

function outbox(bufferedBytes = 0): { outbox: Outbox; writes: string[][]; slow: number[] } {
  const writes: string[][] = [];
  const slow: number[] = [];
  const socket: ServerSocket = {
    remoteAddress: "",
    bufferedBytes,
    write: (batch: Batch) => void writes.push(batch.frames().map((frame) => frame.text)),
    close() {},
    dismiss() {},
    terminate() {},
    pause() {},
    resume() {},
  };
  return { outbox: new Outbox(socket, departures, { tooSlow: (owed) => void slow.push(owed) }), writes, slow };
}
const run = (queue: (() => void)[]): void => queue.splice(0).forEach((due) => due());

describe("Outbox", () => {
  test("[OB1] events of one turn leave in one write for each connection, and one callback flushes all connections", () => {
    const [one, two] = [outbox(), outbox()];
    const frames = [new Frame("1"), new Frame("2")];
    for (const frame of frames) for (const { outbox } of [one, two]) outbox.event(frame);
    expect(later).toHaveLength(1);
    expect(one.writes).toEqual([]);
    run(later);
    expect([one.writes, two.writes]).toEqual([[["1", "2"]], [["1", "2"]]]);
  });

  test("[OB2] a reply behind an event is flushed early, together with the event and in the order of the calls", () => {
    const { outbox: box, writes } = outbox();
    box.event(new Frame("event 1"));
    box.reply(new Frame("reply"));
    box.event(new Frame("event 2"));
    run(soon);
    expect(writes).toEqual([["event 1", "reply", "event 2"]]);
    run(later);
    expect(writes).toHaveLength(1);
  });

  test("[OB3] an event queued after the replies were flushed waits for the end of the turn", () => {
    const { outbox: box, writes } = outbox();
    box.reply(new Frame("reply"));
    run(soon);
    box.event(new Frame("event"));
    expect(writes).toEqual([["reply"]]);
    run(later);
    expect(writes).toEqual([["reply"], ["event"]]);
  });

  test("[OB4] more bytes than the limit, in the outbox or in the socket, are reported as too slow", () => {
    const here = outbox();
    here.outbox.event(new Frame("x".repeat(60)));
    expect(here.slow).toEqual([]);
    here.outbox.event(new Frame("x".repeat(60)));
    expect(here.slow).toEqual([124]);

    const [quick, stalled] = [outbox(LIMIT), outbox(LIMIT + 1)];
    for (const { outbox: box } of [quick, stalled]) box.event(new Frame("x"));
    run(later);
    expect([quick.slow, stalled.slow]).toEqual([[], [LIMIT + 1]]);
  });
});
