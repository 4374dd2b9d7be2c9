import type { Position } from "@holdfast/protocol";

/** Stands for a position that cannot be read any more. No history has an epoch without a name. */
export const LOST: Position = { epoch: "", offset: 0, id: "" };
