import { HoldfastError } from "@holdfast/protocol";
import { toWire } from "@holdfast/protocol/internal";
import type { ServerSettings } from "../settings.js";
import type { Connection } from "../session/connection.js";

/**
 * The most channels in messages that wait for an earlier message. A client that reconnects asks for
 * far fewer, and this many of the longest names take about one megabyte.
 */
const MAX_WAITING = 4_096;

/**
 * Handles the messages about a connection's channels one after the other. Clients decide how much
 * waits and the server stores the messages, so the queue is bounded. If the queue is full, the
 * connection is closed. `weight` counts channels, whose names have at most 255 bytes, so a waiting
 * message must keep at most 255 bytes per unit of weight.
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
    logger.error({ session: connection.sessionId, err: error }, "message about channels failed");
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
