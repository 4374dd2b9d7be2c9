/**
 * Whether the page shows where its focus is: to whoever presses with a finger it need not, and
 * should stay where it is.
 */
const isSeen = (): boolean => document.activeElement?.matches(":focus-visible") ?? false;

/**
 * To the heading of what is there, where the keyboard goes on from. A heading and not a button: a
 * key that is held down must not press what comes next.
 */
export function focusHeading(seen: boolean): void {
  const heading = document.querySelector<HTMLElement>("main h2:not([hidden] *)") ?? document.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: !seen });
}

/**
 * To a button, perhaps, in place of one that was pressed: a key that is still held down must not
 * press it.
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
 * For what comes and goes: returns what moves the focus, if `host` has it, back to where it came
 * from, before what has it is gone. The keyboard would begin at the top of the page again.
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
    // What is hidden, disabled or no longer there does not take it.
    if (!from || document.activeElement !== from) focusHeading(seen);
  };
}
