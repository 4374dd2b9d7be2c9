import type { ServerEnvironment } from "../environment.js";
import type { Connection } from "./connection.js";

/**
 * A socket that is still open this long after its close frame is terminated. The ws package itself
 * waits one second.
 */
const CUT_OFF_MS = 2_000;
const POLL_MS = 20;

/**
 * Closes all connections. Waits until no request is running, at most `graceMs`, then closes each
 * connection with 1001 and waits for its socket. The admission refuses new connections meanwhile.
 */
export async function drain(
  connections: Set<Connection>,
  environment: ServerEnvironment,
  graceMs: number,
): Promise<void> {
  await until(() => [...connections].every((connection) => connection.requestsRunning === 0), environment, graceMs);
  for (const connection of connections) connection.close("GOING_AWAY", "the server is shutting down");
  await until(() => connections.size === 0, environment, CUT_OFF_MS);
  for (const connection of connections) connection.terminate();
  await until(() => connections.size === 0, environment, CUT_OFF_MS);
}

/** Polls a condition until it holds or `limitMs` has passed. */
function until(condition: () => boolean, environment: ServerEnvironment, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const deadline = environment.monotonic() + limitMs;
    const look = (): void => {
      if (condition() || environment.monotonic() >= deadline) resolve();
      else environment.after(POLL_MS, look);
    };
    look();
  });
}
