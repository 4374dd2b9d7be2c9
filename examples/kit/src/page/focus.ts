/** True if the page shows a focus ring. For a finger or a mouse the focus need not move. */
const isSeen = (): boolean => document.activeElement?.matches(":focus-visible") ?? false;

/**
 * Focuses the heading of the current view, where the keyboard continues. A heading and not a
 * button, because a key that is held down must not press the next button.
 */
export function focusHeading(seen: boolean): void {
  const heading = document.querySelector<HTMLElement>("main h2:not([hidden] *)") ?? document.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: !seen });
}

/**
 * Moves the focus to an element that replaces a pressed one. Repeated Enter keys are ignored until
 * the key is released, because a key that is still held down must not press the new element.
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
 * For elements that come and go. Returns a function to call before `host` is removed. If `host` has
 * the focus, the function moves it back to the previous element. Otherwise the keyboard would start
 * again at the top of the page.
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
