import { describe, expect, test } from "vitest";
import { reportFigures as figures } from "../support/figures.js";
import { DocumentHistory } from "./document-history.js";

/**
 * Histories of one document: three servers, four peers, a hundred operations, and a broker with
 * everything that can go wrong. `HOLDFAST_SEED=17` runs one of them again, identically;
 * `HOLDFAST_SEEDS=10000` runs the long form.
 */
const only = process.env["HOLDFAST_SEED"];
const count = Number(process.env["HOLDFAST_SEEDS"] ?? 100);
const first = Number(process.env["HOLDFAST_FIRST_SEED"] ?? 1);

describe("[SV1] whatever is lost, cut, rolled back or killed", () => {
  test(
    "everyone who watches a document has the same in the end, and no copy ever differed from its hash",
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
        if (mismatches > 0) broken.push(`${mismatches} copies were not what they should be`);
        if (broken.length > 0) failed.push(`seed ${seed}: ${broken.slice(0, 3).join("; ")}`);
        if (seed % 1_000 === 0 && count > 1_000)
          process.stdout.write(`${seed} histories, ${JSON.stringify(sum)}, ${failed.length} failed\n`);
      }
      figures("T14", { histories: seeds.length, ...sum, failed: failed.length });
      expect(failed.slice(0, 10)).toEqual([]);
      // A history in which nothing happens proves nothing.
      expect(sum.changes).toBeGreaterThan(seeds.length * 15);
      expect(sum.told).toBeGreaterThan(seeds.length * 15);
    },
  );

  test("the same seed is the same history", async () => {
    expect(await new DocumentHistory(7).run()).toEqual(await new DocumentHistory(7).run());
  });
});
