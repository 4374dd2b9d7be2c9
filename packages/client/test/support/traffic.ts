import type { ServerMessage } from "@holdfast/protocol";
import type { World } from "./test-client.js";

export const ignore = (): void => undefined;

export const event = (channel: string, name: string, data?: unknown, meta?: unknown): ServerMessage => ({
  type: "event",
  channel,
  event: name,
  data,
  ...(meta !== undefined && { meta }),
});

/** The sent messages about channels, in order: `+` subscribed, `-` unsubscribed. */
export const traffic = (world: World, attempt = world.sockets.last): string[] =>
  attempt.sent.flatMap((message) => {
    if (message.type === "subscribe") {
      return [
        message.data.channels.map((asked) => `+${typeof asked === "string" ? asked : `${asked.channel}@`}`).join(" "),
      ];
    }
    return message.type === "unsubscribe" ? [message.data.channels.map((name) => `-${name}`).join(" ")] : [];
  });
