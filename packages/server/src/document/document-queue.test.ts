import { describe, expect, test } from "vitest";
import { advance, VirtualEnvironment } from "../../test/support/virtual-environment.js";
import { DocumentQueue } from "./document-queue.js";

/**
 * Starts `count` changes of one document and records when each change begins. The first change runs
 * `first`.
 */
function queue(count: number, first: (turns: DocumentQueue, environment: VirtualEnvironment) => Promise<void>) {
  const environment = Object.assign(new VirtualEnvironment(), { random: () => 0.5 });
  const turns = new DocumentQueue(environment);
  const begun: number[] = [];
  const start = environment.monotonic();
  const changes = Array.from({ length: count }, (_, index) =>
    turns.run("board:a", async () => {
      begun.push(environment.monotonic() - start);
      if (index === 0) await first(turns, environment);
    }),
  );
  return { environment, turns, begun, changes };
}

describe("DocumentQueue: changes of one document", () => {
  test("[SD16] without competition, the changes run without gaps", async () => {
    const { environment, begun } = queue(5, async () => {});
    await advance(environment, 1);
    expect(begun).toEqual([0, 0, 0, 0, 0]);
    expect(environment.timers).toBe(0);
  });

  test("[SD16] after a conflict, the next eight changes are followed by gaps as long as an attempt, and later changes by none", async () => {
    const { environment, begun } = queue(11, async (turns, { monotonic }) => {
      await turns.overtaken("board:a", 1, monotonic() - 20);
    });
    await advance(environment, 400);
    // The random number is 0.5: 20 ms before the next attempt, and 20 ms after each of eight
    // changes.
    expect(begun).toEqual([0, 40, 60, 80, 100, 120, 140, 160, 180, 180, 180]);
    expect(environment.timers).toBe(0);
  });

  test("[SD16] after a conflict, the gap is at most one second, however long an attempt takes", async () => {
    const { environment, begun } = queue(2, async (turns, { monotonic }) => {
      await turns.overtaken("board:a", 4, monotonic() - 60_000);
    });
    await advance(environment, 1_100);
    expect(begun).toEqual([0, 1_000]);
  });

  test("[SD16] a change that fails does not delay the next one", async () => {
    const { environment, begun, changes } = queue(2, () => Promise.reject(new Error("on purpose")));
    await expect(changes[0]).rejects.toThrow("on purpose");
    await advance(environment, 1);
    expect(begun).toEqual([0, 0]);
  });
});
