/**
 * Runs code of the application. What it throws, or what its promise rejects with, goes to `fail`,
 * so that one bad function harms no other. If it returns a promise, so does this function; that
 * promise never rejects.
 */
export function attempt(run: () => unknown, fail: (fault: unknown) => void): Promise<unknown> | undefined {
  try {
    const result = run();
    return typeof (result as PromiseLike<unknown> | null | undefined)?.then === "function"
      ? Promise.resolve(result).catch(fail)
      : undefined;
  } catch (fault) {
    fail(fault);
    return undefined;
  }
}
