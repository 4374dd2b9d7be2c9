import { setAttributes } from "@holdfast/example-kit/page/dom";

/**
 * Draws. What has the focus may be gone after that, and the keyboard would begin at the top of the page again; so the focus goes
 * to the heading of what is there instead. A heading and not a button: a key that is held down must not press what comes next.
 */
export function keepFocus(draw: () => void): void {
  const focused = document.activeElement;
  const isSeen = focused?.matches(":focus-visible") ?? false;
  draw();
  if (!focused?.matches("[hidden], [hidden] *, :disabled")) return;
  const heading = document.querySelector<HTMLElement>("main h2:not([hidden] *)");
  if (!heading) return;
  setAttributes(heading, { tabindex: -1 });
  // Whoever presses with a finger wants the page to stay where it is.
  heading.focus({ preventScroll: !isSeen });
}
