/** Two presses within it are one: a double-click. */
const ONE_PRESS_MS = 500;

/**
 * Calls `act` for each press that is meant: a double-click is one, and so is a key that is held
 * down.
 */
export function onPress(button: Pick<HTMLElement, "addEventListener">, act: () => void): void {
  let last = -Infinity;
  button.addEventListener("click", ({ timeStamp }) => {
    if (timeStamp - last < ONE_PRESS_MS) return;
    last = timeStamp;
    act();
  });
  // Whoever was elsewhere in between means it.
  button.addEventListener("blur", () => {
    last = -Infinity;
  });
  // A key that is held down presses again and again, for longer than that.
  button.addEventListener("keydown", (event) => {
    if (event.repeat && event.key === "Enter") event.preventDefault();
  });
}

/** As long as one is under way another one is ignored: pressed twice, it would be done twice. */
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
