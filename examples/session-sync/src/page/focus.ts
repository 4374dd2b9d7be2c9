import { focusHeading } from "@holdfast/example-kit/page/focus";

/**
 * Calls `draw`. If the focused element is hidden or disabled afterwards, the focus moves to the
 * heading of the current view. Otherwise the keyboard would start again at the top of the page.
 */
export function keepFocus(draw: () => void): void {
  const focused = document.activeElement;
  const isSeen = focused?.matches(":focus-visible") ?? false;
  draw();
  if (focused?.matches("[hidden], [hidden] *, :disabled")) focusHeading(isSeen);
}
