import { expect, test } from "vitest";
import { oneAtATime, onPress } from "./press.js";

/** A button and a counter of its presses. `tell` dispatches an event. */
function counted() {
  const button = new EventTarget();
  let presses = 0;
  onPress(button as HTMLElement, () => void presses++);
  const tell = (type: string, properties: object): Event => {
    const event = new Event(type, { cancelable: true });
    for (const [name, value] of Object.entries(properties)) Object.defineProperty(event, name, { value });
    button.dispatchEvent(event);
    return event;
  };
  return { tell, presses: () => presses };
}

test.each([
  [[0], 1],
  [[0, 180], 1],
  [[0, 499], 1],
  [[0, 500], 2],
  [[0, 180, 600, 780], 2],
])("[SX21] onPress: clicks at %j ms count as %i presses", (moments, expected) => {
  const { tell, presses } = counted();
  for (const timeStamp of moments) tell("click", { timeStamp });
  expect(presses()).toBe(expected);
});

test("[SX21] after a blur, the next click is a new press even within 500 ms", () => {
  const { tell, presses } = counted();
  tell("click", { timeStamp: 0 });
  tell("blur", {});
  tell("click", { timeStamp: 300 });
  expect(presses()).toBe(2);
});

test("[SX21] a repeated Enter is suppressed, and a repeated Tab is not", () => {
  const { tell } = counted();
  expect(tell("keydown", { key: "Enter", repeat: false }).defaultPrevented).toBe(false);
  expect(tell("keydown", { key: "Enter", repeat: true }).defaultPrevented).toBe(true);
  expect(tell("keydown", { key: "Tab", repeat: true }).defaultPrevented).toBe(false);
});

test("[SX25] oneAtATime ignores a call while another is in flight, and accepts calls after a failure", async () => {
  const rejects: ((why: Error) => void)[] = [];
  const act = oneAtATime(() => new Promise((_resolve, reject) => rejects.push(reject)));
  const first = act();
  await act();
  expect(rejects).toHaveLength(1);
  rejects[0]!(new Error("refused"));
  await expect(first).rejects.toThrow("refused");
  void act();
  expect(rejects).toHaveLength(2);
});
