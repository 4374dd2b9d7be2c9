/**
 * True if the page shows a focus ring, that is, if the user works with the keyboard. For a finger
 * or a mouse the page need not scroll to the focus.
 */
const isSeen = (): boolean => document.activeElement?.matches(":focus-visible") ?? false;

/**
 * Focuses the heading of the current view, so that the keyboard continues there. The target is a
 * heading and not a button, because a key that is held down must not press a button.
 */
export function focusHeading(seen: boolean): void {
  const heading = document.querySelector<HTMLElement>("main h2:not([hidden] *)") ?? document.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: !seen });
}

/**
 * Moves the focus to an element that replaces a pressed element. Repeated Enter keys are ignored
 * until the key is released, because a key that is still held down must not press the new element.
 */
export function moveFocus(to: HTMLElement): void {
  const stop = (event: KeyboardEvent): void => {
    if (event.repeat && event.key === "Enter") event.preventDefault();
  };
  const letGo = (): void => document.removeEventListener("keydown", stop, true);
  document.addEventListener("keydown", stop, true);
  document.addEventListener("keyup", letGo, { capture: true, once: true });
  to.focus({ preventScroll: !isSeen() });
}

/**
 * Returns a function to call before `host` is removed or hidden. If the focus is in `host`, the
 * function moves the focus back to the element that had it before. Otherwise the keyboard would
 * start again at the top of the page.
 */
export function focusReturn(host: HTMLElement): () => void {
  let from: HTMLElement | undefined;
  host.addEventListener("focusin", ({ relatedTarget }) => {
    if (relatedTarget instanceof HTMLElement && !host.contains(relatedTarget)) from = relatedTarget;
  });
  return () => {
    if (!host.contains(document.activeElement)) return;
    const seen = isSeen();
    if (from) moveFocus(from);
    // An element that is hidden, disabled or removed does not take the focus.
    if (!from || document.activeElement !== from) focusHeading(seen);
  };
}
