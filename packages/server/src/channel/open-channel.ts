import type { ChannelId } from "@holdfast/protocol";
import { ChannelLog, type ChannelLogParts } from "./channel-log.js";
import { DocumentCopy } from "./document-copy.js";
import type { LocalChannel } from "./local-channels.js";
import { LogFeed } from "./log-feed.js";
import { Members } from "./members.js";
import { PlainFeed } from "./plain-feed.js";

export type OpenParts = Omit<ChannelLogParts, "id" | "history" | "members" | "copy">;

/**
 * Opens a channel on this instance. Publications go from the feed to the members. Members never
 * call the feed.
 */
export function openChannel(id: ChannelId, parts: OpenParts): LocalChannel {
  const { history, document } = id.contract;
  const members = new Members();
  if (!history) return { members, feed: new PlainFeed({ ...parts, topic: id.wire, members }), copy: undefined };
  const copy = document && new DocumentCopy(id.wire);
  const log = new ChannelLog({ ...parts, id, history, members, copy });
  return { members, feed: new LogFeed({ ...parts, topic: id.wire, log }), copy };
}
