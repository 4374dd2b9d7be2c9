import { describe, expect, test } from "vitest";
import { reportFigures } from "../support/figures.js";
import { Simulation } from "./simulation.js";

/**
 * Runs one simulated history for each seed. `HOLDFAST_SEED=17` repeats a single history;
 * `HOLDFAST_SEEDS=50000` is the long form.
 */
const only = process.env["HOLDFAST_SEED"];
const count = Number(process.env["HOLDFAST_SEEDS"] ?? 150);
const first = Number(process.env["HOLDFAST_FIRST_SEED"] ?? 1);

describe("[RV1] [RV24] servers that share a broker", () => {
  test(
    "every client sees each event once and in order, or a reset, whatever is lost, cut, rolled back or killed",
    { timeout: Math.max(60_000, count * 1_000) },
    async () => {
      const seeds = only === undefined ? Array.from({ length: count }, (_, index) => first + index) : [Number(only)];
      const failed: string[] = [];
      let heard = 0;
      let resets = 0;
      let resetsChecked = 0;
      for (const seed of seeds) {
        const outcome = await new Simulation(seed).run();
        heard += outcome.heard;
        resets += outcome.resets;
        resetsChecked += outcome.resetsChecked;
        if (outcome.broken.length > 0) failed.push(`seed ${seed}: ${outcome.broken.slice(0, 3).join("; ")}`);
        if (seed % 1_000 === 0 && count > 1_000)
          process.stdout.write(`${seed} histories, ${heard} events, ${resets} resets, ${failed.length} failed\n`);
      }
      reportFigures("T1", { histories: seeds.length, heard, resets, failed: failed.length });
      expect(failed.slice(0, 10)).toEqual([]);
      // Lower bounds, because a history without events would prove nothing.
      expect(heard).toBeGreaterThan(seeds.length * 20);
      if (seeds.length > 10) expect(resets).toBeGreaterThan(0);
      if (seeds.length > 10) expect(resetsChecked).toBeGreaterThan(resets / 2);
    },
  );

  test("if ids carry only the offset, many histories break promises, which proves that the checker detects faults", async () => {
    let broken = 0;
    for (let seed = 1; seed <= 40; seed++)
      if ((await new Simulation(seed, { idsAreOffsets: true }).run()).broken.length > 0) broken++;
    expect(broken).toBeGreaterThan(10);
  });

  test("a seed repeats its history exactly", async () => {
    const first = await new Simulation(7).run();
    expect(await new Simulation(7).run()).toEqual(first);
  });
});
