/** Two presses within this time are a double-click and count as one. */
const ONE_PRESS_MS = 500;

/**
 * Calls `act` once per intended press: a double-click counts once, and so does a key that is held
 * down.
 */
export function onPress(button: Pick<HTMLElement, "addEventListener">, act: () => void): void {
  let last = -Infinity;
  button.addEventListener("click", ({ timeStamp }) => {
    if (timeStamp - last < ONE_PRESS_MS) return;
    last = timeStamp;
    act();
  });
  // After the focus was elsewhere, the next press is a new one.
  button.addEventListener("blur", () => {
    last = -Infinity;
  });
  // A key that is held down repeats for longer than that.
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
