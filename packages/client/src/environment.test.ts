import { afterEach, expect, test, vi } from "vitest";
import { type Hint, systemEnvironment } from "./environment.js";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A window and a document with the members that the hints use. */
function stubPage() {
  const listeners = new Map<string, Set<() => void>>();
  const source = {
    addEventListener: (type: string, listener: () => void) =>
      void listeners.set(type, (listeners.get(type) ?? new Set()).add(listener)),
    removeEventListener: (type: string, listener: () => void) => void listeners.get(type)?.delete(listener),
  };
  const document = { ...source, visibilityState: "visible" };
  vi.stubGlobal("addEventListener", source.addEventListener);
  vi.stubGlobal("removeEventListener", source.removeEventListener);
  vi.stubGlobal("document", document);
  const fire = (type: string): void => listeners.get(type)?.forEach((listener) => listener());
  const count = (): number => [...listeners.values()].reduce((sum, { size }) => sum + size, 0);
  return { document, fire, count };
}

test("the hints report online, offline and a page that becomes visible, but not a page that is hidden", () => {
  const { document, fire, count } = stubPage();
  const heard: Hint[] = [];
  const stop = systemEnvironment.hints.subscribe((hint) => heard.push(hint));
  fire("online");
  fire("offline");
  fire("visibilitychange");
  document.visibilityState = "hidden";
  fire("visibilitychange");
  expect(heard).toEqual(["online", "offline", "visible"]);
  stop();
  expect(count()).toBe(0);
});

test("subscribe() does nothing on a platform without these events, such as React Native", () => {
  vi.stubGlobal("addEventListener", undefined);
  vi.stubGlobal("removeEventListener", undefined);
  systemEnvironment.hints.subscribe(() => expect.unreachable())();
});

test("only onLine === false counts as offline", () => {
  for (const [navigator, online] of [
    [undefined, true],
    [{}, true],
    [{ onLine: true }, true],
    [{ onLine: false }, false],
  ]) {
    vi.stubGlobal("navigator", navigator);
    expect(systemEnvironment.hints.isOnline()).toBe(online);
  }
});

test("a timer whose delay exceeds 32 bits does not fire at once, and a cancelled timer does not fire", () => {
  vi.useFakeTimers();
  const run = vi.fn();
  const cancel = systemEnvironment.clock.after(1e15, run);
  vi.advanceTimersByTime(1_000_000);
  expect(run).not.toHaveBeenCalled();
  cancel();
  expect(vi.getTimerCount()).toBe(0);
});
