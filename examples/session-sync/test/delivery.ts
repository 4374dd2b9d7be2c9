import type { Watcher } from "./watcher.js";

/**
 * Changes the turn `times` times. Returns, for each watcher, the milliseconds from each request
 * until the watcher has received the change.
 */
export async function deliveries(asker: Watcher, watchers: readonly Watcher[], times: number): Promise<number[][]> {
  const measured: number[][] = watchers.map(() => []);
  for (let time = 0; time < times; time++) {
    const { version, cycle } = asker.session!;
    const began = performance.now();
    const seen = watchers.map(
      (watcher, index) =>
        new Promise<void>((resolve) => {
          const look = (): void => {
            if ((watcher.session?.version ?? 0) <= version) return;
            measured[index]!.push(performance.now() - began);
            stop();
            resolve();
          };
          const stop = watcher.onChange(look);
        }),
    );
    await Promise.all([asker.client.request("session.switchCycle", { cycle }), ...seen]);
    await asker.reach(version + 1);
  }
  return measured;
}
