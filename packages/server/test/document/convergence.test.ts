import { describe, expect, test } from "vitest";
import { reportFigures } from "../support/figures.js";
import { DocumentHistory } from "./document-history.js";

/**
 * Runs one simulated history of a document for each seed: three servers, four clients, 100
 * operations and every fault of the broker. `HOLDFAST_SEED=17` repeats a single history;
 * `HOLDFAST_SEEDS=10000` is the long form.
 */
const only = process.env["HOLDFAST_SEED"];
const count = Number(process.env["HOLDFAST_SEEDS"] ?? 100);
const first = Number(process.env["HOLDFAST_FIRST_SEED"] ?? 1);

describe("[SV1] documents under lost messages, cut connections, roll-backs and killed servers", () => {
  test(
    "all subscribers end with the same document, and no copy differs from its hash",
    { timeout: Math.max(60_000, count * 1_000) },
    async () => {
      const seeds = only === undefined ? Array.from({ length: count }, (_, index) => first + index) : [Number(only)];
      const failed: string[] = [];
      const sum = { changes: 0, told: 0, mismatches: 0 };
      for (const seed of seeds) {
        const { broken, changes, told, mismatches } = await new DocumentHistory(seed).run();
        sum.changes += changes;
        sum.told += told;
        sum.mismatches += mismatches;
        if (mismatches > 0) broken.push(`${mismatches} copies did not match their hash`);
        if (broken.length > 0) failed.push(`seed ${seed}: ${broken.slice(0, 3).join("; ")}`);
        if (seed % 1_000 === 0 && count > 1_000)
          process.stdout.write(`${seed} histories, ${JSON.stringify(sum)}, ${failed.length} failed\n`);
      }
      reportFigures("T14", { histories: seeds.length, ...sum, failed: failed.length });
      expect(failed.slice(0, 10)).toEqual([]);
      // Lower bounds, because a history without events would prove nothing.
      expect(sum.changes).toBeGreaterThan(seeds.length * 15);
      expect(sum.told).toBeGreaterThan(seeds.length * 15);
    },
  );

  test("a seed repeats its history exactly", async () => {
    expect(await new DocumentHistory(7).run()).toEqual(await new DocumentHistory(7).run());
  });
});
