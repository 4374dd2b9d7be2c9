import type { Position, ResetReason } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { silentLogger } from "../../src/observe/logger.js";
import { VirtualEnvironment } from "../support/virtual-environment.js";
import { ResetChecker } from "./reset-checker.js";
import { SimBroker } from "../support/sim-broker.js";

const topic = "short";
const TTL_MS = 60_000;
const reasons: readonly ResetReason[] = ["epoch", "fork", "trimmed", "too_many", "server"];

/** A store with one topic. Tells which reset reasons the checker accepts for a position. */
function checked() {
  const environment = new VirtualEnvironment();
  const broker = new SimBroker();
  const checker = new ResetChecker(broker, [topic], environment.monotonic);
  const told = { receive() {}, onDoubt() {}, onGone() {}, onForgotten() {} };
  const link = broker.store.join({ id: "i", protocol: "p", environment, logger: silentLogger, ...told });
  const publish = async (...ids: string[]): Promise<Position[]> => {
    const positions: Position[] = [];
    for (const id of ids)
      positions.push((await link.publish(topic, id, "", { log: { size: 100, ttlMs: TTL_MS } })).position!);
    // Time passes, because the checker also accepts the state before a change of the same moment.
    environment.pass(1);
    return positions;
  };
  const resume = (position: Position) => {
    const connection = {};
    const data = { channels: [{ channel: topic, position }] };
    checker.says(connection, JSON.stringify({ type: "subscribe", correlation_id: "s", data }));
    return (reset: ResetReason): boolean => {
      const before = checker.broken.length;
      const results = [{ ok: true, channel: topic, reset }];
      const answer = { type: "subscribe_response", correlation_id: "s", data: { success: true, results } };
      checker.hears(connection, JSON.stringify(answer));
      return checker.broken.length === before;
    };
  };
  const passing = (position: Position): ResetReason[] => reasons.filter(resume(position));
  /** Changes the store and advances the time. */
  const change = (how: (store: typeof broker.store) => void): void => {
    how(broker.store);
    environment.pass(1);
  };
  return { environment, broker, change, publish, resume, passing };
}

describe("[RV24] ResetChecker", () => {
  test("accepts no reason if the store has all missed events", async () => {
    const { publish, passing } = checked();
    const positions = await publish("a", "b", "c");
    for (const position of [{ ...positions[0]!, offset: 0, id: "" }, ...positions])
      expect(passing(position)).toEqual([]);
  });

  test("accepts only the true reason", async () => {
    const { publish, passing, change } = checked();
    const [first] = await publish("a", "b", "c", "d", "e", "f");
    change((store) => store.trim());
    expect(passing({ ...first!, offset: 0, id: "" })).toEqual(["trimmed"]);
    expect(passing(first!)).toEqual(["trimmed"]);
    expect(passing({ ...first!, epoch: "another" })).toEqual(["epoch"]);
    expect(passing({ ...first!, offset: 7, id: "g" })).toEqual(["fork"]);
    expect(passing({ ...first!, offset: 6, id: "other" })).toEqual(["fork"]);
    expect(passing({ ...first!, offset: 4, id: "other" })).toEqual(["fork"]);
    change((store) => store.empty());
    expect(passing(first!)).toEqual(["epoch"]);
  });

  test("[RV27] accepts `fork` for a position on a lost branch, even if its offset is trimmed", async () => {
    const { publish, passing, broker, change } = checked();
    const [first] = await publish("a", "b");
    const old = broker.store.snapshot();
    const [lost] = await publish("c", "d");
    change((store) => store.restore(old));
    const [kept] = await publish("e", "f", "g", "h");
    expect(passing(lost!)).toEqual(["fork"]);
    expect(passing(kept!)).toEqual([]);
    change((store) => store.trim());
    change((store) => store.trim());
    expect(passing(lost!)).toEqual(["fork", "trimmed"]);
    for (const position of [first!, kept!]) expect(passing(position)).toEqual(["trimmed"]);
  });

  test("accepts `trimmed` after the log has expired, and not before", async () => {
    const { publish, passing, environment } = checked();
    const [first] = await publish("a", "b");
    environment.pass(TTL_MS - 2);
    expect(passing(first!)).toEqual([]);
    environment.pass(2);
    expect(passing(first!)).toEqual(["trimmed"]);
  });

  test("accepts a reason that was true between question and answer, and none from before the question", async () => {
    const { publish, resume, passing, change } = checked();
    const [first] = await publish("a", "b", "c", "d");
    const told = resume(first!);
    change((store) => store.trim());
    change((store) => store.empty());
    await publish("e");
    expect(reasons.filter(told)).toEqual(["epoch", "trimmed"]);
    expect(passing(first!)).toEqual(["epoch"]);
  });
});
