import { focusHeading } from "@holdfast/example-kit/page/focus";

/**
 * Draws. What has the focus may be gone after that, and the keyboard would begin at the top of the
 * page again; so the focus goes to the heading of what is there instead.
 */
export function keepFocus(draw: () => void): void {
  const focused = document.activeElement;
  const isSeen = focused?.matches(":focus-visible") ?? false;
  draw();
  if (focused?.matches("[hidden], [hidden] *, :disabled")) focusHeading(isSeen);
}
