import { describe, expect, test } from "vitest";
import { pass, VirtualEnvironment } from "../../test/world.js";
import { DocumentQueue } from "./document-queue.js";

/** Changes that take a while each, and when they have begun. */
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

describe("changes of a document", () => {
  test("[SD16] follow each other at once where nobody competes", async () => {
    const { environment, begun } = queue(5, async () => {});
    await pass(environment, 1);
    expect(begun).toEqual([0, 0, 0, 0, 0]);
    expect(environment.timers).toBe(0);
  });

  test("[SD16] leave gaps as long as a try takes once one was overtaken, and no more after a while", async () => {
    const { environment, begun } = queue(11, async (turns, { monotonic }) => {
      await turns.overtaken("board:a", 1, monotonic() - 20);
    });
    await pass(environment, 400);
    // Chance says half: 20 ms before the next try, and behind each of eight changes.
    expect(begun).toEqual([0, 40, 60, 80, 100, 120, 140, 160, 180, 180, 180]);
    expect(environment.timers).toBe(0);
  });

  test("[SD16] wait a second at most, however long a try takes", async () => {
    const { environment, begun } = queue(2, async (turns, { monotonic }) => {
      await turns.overtaken("board:a", 4, monotonic() - 60_000);
    });
    await pass(environment, 1_100);
    expect(begun).toEqual([0, 1_000]);
  });

  test("[SD16] that fail hold up none behind them", async () => {
    const { environment, begun, changes } = queue(2, () => Promise.reject(new Error("on purpose")));
    await expect(changes[0]).rejects.toThrow("on purpose");
    await pass(environment, 1);
    expect(begun).toEqual([0, 0]);
  });
});
