import { type ChannelId, HoldfastError, type Position, type ResetReason, type ServerMessage } from "@holdfast/protocol";
import { toWire } from "@holdfast/protocol/internal";
import type { BrokerLink, Publication } from "../broker/broker.js";
import type { ServerEnvironment } from "../environment.js";
import type { ExpiryQueue } from "../async/expiry-queue.js";
import type { Logger } from "../observe/logger.js";
import type { Stats } from "../observe/stats.js";
import { DocumentCopy } from "./document-copy.js";
import { Frame } from "../transport/frame.js";
import { LocalChannel } from "./channel.js";
import { eventFrame, documentFrame } from "./event-text.js";
import { LogFeed } from "./log-feed.js";
import { PlainFeed } from "./plain-feed.js";
import type { KeptEvent } from "./ring.js";

export interface OpenParts {
  readonly link: BrokerLink;
  readonly environment: ServerEnvironment;
  readonly logger: Logger;
  readonly stats: Stats;
  readonly maxEventBytes: number;
  readonly wide: ExpiryQueue<LogFeed>;
  loadDocument(id: ChannelId): Promise<void> | undefined;
}

/** A channel on this instance, and what becomes of all that is published on it: frames for its members. */
export function openChannel(id: ChannelId, parts: OpenParts): LocalChannel {
  const { wire, contract } = id;
  const { link, environment, logger, stats, maxEventBytes, wide } = parts;
  const { history } = contract;
  if (!history) {
    const plain: LocalChannel = new LocalChannel(
      new PlainFeed(wire, link, (publication) => deliverPlain(plain, wire, publication, parts)),
    );
    return plain;
  }
  const copy = contract.document && new DocumentCopy(wire);
  const feed = new LogFeed({
    topic: wire,
    history,
    link,
    environment,
    copy,
    wide,
    // Four channels that are caught up with at once must not make a reader too slow.
    mostBytes: maxEventBytes / 4,
    isHeld: () => channel.holds > 0,
    read(publication) {
      const kept = readKept(wire, publication);
      if (!kept) strange(wire, logger);
      return kept;
    },
    deliver({ frame, version }) {
      stats.delivered += channel.deliver(frame);
      if (version === 0) channel.end(wire);
    },
    lost(reason, position) {
      channel.deliver(resetFrame(wire, reason, position));
      if (!copy) return;
      const ended = copy.deletedFor;
      channel.deliver(ended === undefined ? copy.frame(position) : endedFrame(wire, ended));
      if (ended !== undefined) channel.end(wire);
    },
    bring: () =>
      parts.loadDocument(id)?.catch((error: unknown) => {
        logger.error({ channel: wire, err: error }, "its document could not be loaded, and is asked for again");
        throw error;
      }),
  });
  const channel: LocalChannel = new LocalChannel(feed, copy);
  return channel;
}

/** Hands on what was published on a channel without history. */
export function deliverPlain(
  channel: LocalChannel,
  wire: string,
  { body }: Publication,
  { stats, logger }: Pick<OpenParts, "stats" | "logger">,
): void {
  const frame = eventFrame(wire, body);
  if (frame) stats.delivered += channel.deliver(frame);
  else strange(wire, logger);
}

function readKept(wire: string, { body, link }: Publication): KeptEvent | undefined {
  if (!link) return undefined;
  const frame = eventFrame(wire, body, link);
  const read = frame ? { frame } : documentFrame(wire, body, link);
  return read && { link, ...read, bytes: Buffer.byteLength(read.frame.text) };
}

function strange(wire: string, logger: Logger): void {
  logger.error({ channel: wire }, "something was published that is no event of ours");
}

function endedFrame(channel: string, reason: string): Frame {
  const data = toWire(new HoldfastError("STATE_DELETED", reason));
  return new Frame(JSON.stringify({ type: "unsubscribed", channel, data } satisfies ServerMessage));
}

function resetFrame(channel: string, reason: ResetReason, position: Position): Frame {
  return new Frame(JSON.stringify({ type: "reset", channel, data: { reason, position } } satisfies ServerMessage));
}
