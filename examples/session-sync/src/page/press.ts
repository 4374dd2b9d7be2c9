/** Two presses within this time are a double-click and count as one press. */
const ONE_PRESS_MS = 500;

/**
 * Calls `act` once per intended press: a double-click, or a key that is held down, counts as one
 * press.
 */
export function onPress(button: Pick<HTMLElement, "addEventListener">, act: () => void): void {
  let last = -Infinity;
  button.addEventListener("click", ({ timeStamp }) => {
    if (timeStamp - last < ONE_PRESS_MS) return;
    last = timeStamp;
    act();
  });
  // If the focus has moved away, the next press is a new press.
  button.addEventListener("blur", () => {
    last = -Infinity;
  });
  // A key that is held down repeats for longer than that time, so its repetitions are suppressed.
  button.addEventListener("keydown", (event) => {
    if (event.repeat && event.key === "Enter") event.preventDefault();
  });
}

/** Ignores calls while `act` is running, so that a second press does not repeat the action. */
export function oneAtATime(act: () => Promise<void>): () => Promise<void> {
  let isUnderWay = false;
  return async () => {
    if (isUnderWay) return;
    isUnderWay = true;
    try {
      await act();
    } finally {
      isUnderWay = false;
    }
  };
}
