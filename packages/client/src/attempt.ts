/**
 * Runs a function of the application. If the function throws, or its promise rejects, `fail`
 * receives the error, so that one faulty function does not affect others. If the function returns a
 * promise, `attempt` returns a promise that never rejects.
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
