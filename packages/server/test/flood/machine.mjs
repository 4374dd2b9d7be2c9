/**
 * Measures and limits the effect of other processes on the same cores, such as the other tests.
 */
import { readFileSync } from "node:fs";
import { constants, setPriority } from "node:os";

/**
 * Gives the measured process priority over the attackers, which would run on other machines in
 * reality. Only root may raise a priority.
 */
export function goes(order) {
  try {
    setPriority(constants.priority[order === "first" ? "PRIORITY_HIGH" : "PRIORITY_BELOW_NORMAL"]);
  } catch {
    // Without root the process keeps its normal priority.
  }
}

/**
 * Returns how long a process has waited for a core since it started. Only Linux reports this time.
 */
export function waitedMs(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}
