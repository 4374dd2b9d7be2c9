/**
 * What the machine does to a process that shares its cores with others, such as the rest of the
 * tests.
 */
import { readFileSync } from "node:fs";
import { constants, setPriority } from "node:os";

/**
 * What is measured goes first, and attackers take what is left: they have machines of their own.
 * Going first is root's.
 */
export function goes(order) {
  try {
    setPriority(constants.priority[order === "first" ? "PRIORITY_HIGH" : "PRIORITY_BELOW_NORMAL"]);
  } catch {
    // Then it takes its turn.
  }
}

/**
 * How long a process was ready to run and got no core, since it started. Only Linux keeps the
 * account.
 */
export function waitedMs(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}
