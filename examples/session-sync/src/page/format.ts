import type { PhaseName, SessionState } from "../protocol.js";

export const phaseNames: { readonly [Name in PhaseName]: string } = {
  ready: "Not started",
  running: "Running",
  paused: "Paused",
};

/**
 * The remaining time in whole seconds, rounded up: 4:07, 1:02:03. Overtime is rounded down and has
 * a plus: +0:12.
 */
export function countdown(ms: number): string {
  const seconds = ms > 0 ? Math.ceil(ms / 1_000) : Math.floor(-ms / 1_000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (part: number): string => String(part).padStart(2, "0");
  const text = hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  return ms <= -1_000 ? `+${text}` : text;
}

/** The text that screen readers announce about the turn. Empty before the first turn. */
export function spoken({ phase, cycle }: SessionState, name: string, leftMs: number): string {
  if (phase.name === "ready") return "";
  return `${phaseNames[phase.name]}${leftMs < 0 ? ", over time" : ""}. Cycle ${cycle}: ${name}`;
}
