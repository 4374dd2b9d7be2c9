import { HoldfastError } from "@holdfast/protocol";
import { toWire } from "@holdfast/protocol/internal";
import type { ServerSettings } from "../settings.js";
import type { Connection } from "../session/connection.js";

/**
 * Channels in messages that wait for the verdict on one before them: far more than a client that
 * comes back asks for at once, and about a megabyte of the longest names.
 */
const MAX_WAITING = 4_096;

/**
 * Runs what a message asks of the connection's channels, after what was asked before it. What waits
 * is the peer's to choose and ours to keep, so it is bounded (`weight`: in channels, of 255 bytes
 * at most), and holds no more of the message than it needs.
 */
export function inTurn(
  connection: Connection,
  weight: number,
  reply: { readonly correlation_id?: string },
  { limits, logger }: Pick<ServerSettings, "limits" | "logger">,
  run: () => Promise<void> | void,
): void {
  const { membership } = connection;
  if (!membership) return void run();
  if (membership.waiting >= Math.max(MAX_WAITING, 4 * limits.subscriptions))
    return connection.close("RATE_LIMITED", '{"retryAfterMs":1000}');
  const failed = (error: unknown): void => {
    logger.error({ session: connection.sessionId, err: error }, "a message about channels could not be answered");
    const answer = new HoldfastError("INTERNAL", "The message could not be handled.");
    connection.send({ type: "error", ...reply, data: toWire(answer) });
  };
  membership.change(weight, () => {
    try {
      const running = run();
      return running instanceof Promise ? running.catch(failed) : undefined;
    } catch (error) {
      return failed(error);
    }
  });
}
