import {
  defineProtocol,
  type Patch,
  type Position,
  type ServerMessage,
  type ServerMessageOf,
} from "@holdfast/protocol";
import { applyPatches, hashOf } from "@holdfast/protocol/internal";
import * as z from "zod/mini";
import { answers, connected } from "./behaviours.js";
import type { Attempt, Behaviour } from "./scripted-socket.js";

/** Channels with a document, and one channel without. */
export const boards = defineProtocol({
  name: "boards",
  version: "1.0.0",
  channels: {
    board: {
      key: z.string(),
      events: { moved: z.number() },
      document: z.object({
        title: z.string(),
        cards: z.array(z.object({ id: z.string(), text: z.string(), due: z.optional(z.date()) })),
        seen: z.optional(z.map(z.string(), z.object({ at: z.date() }))),
      }),
    },
    loose: { events: { moved: z.number() }, document: z.record(z.string(), z.unknown()) },
    news: { events: { posted: z.string() } },
  },
});

type Update = ServerMessageOf<"state_update">;
type Event = ServerMessageOf<"event">;
type Published = Update | Event;
type Asked = { channel: string; position?: Position; state?: "held" | "mismatch" };

export interface Doc {
  data: unknown;
  meta?: unknown;
  version: number;
}

/**
 * A server of one channel with a document. Each publication names the previous publication. The
 * server answers a `subscribe` with the missed events, and then sends the document unless the
 * client holds the document.
 */
export function boardServer(channel: string, doc: Doc = { data: undefined, version: 0 }) {
  let epoch = 1;
  let ids = 0;
  let chain: Published[] = [];
  let trimmed = 0;
  let attempt: Attempt | undefined;
  let joined = false;
  const asked: Asked[] = [];
  /** While set, every `subscribe` is refused with this error. */
  let refusal: { code: string; message: string } | undefined;
  /** Whether missed changes are sent as patches to a client that holds the document. */
  let sendsPatches = true;
  let document = doc;
  /** While true, the server answers nothing. */
  let holds = false;
  const unanswered: (() => void)[] = [];

  const idAt = (offset: number): string => (offset > 0 ? (chain[offset - 1]!.metadata as { id: string }).id : "");
  const position = (): Position => ({ epoch: `e${epoch}`, offset: chain.length, id: idAt(chain.length) });
  const live = (message: ServerMessage): void => {
    if (joined && attempt && !attempt.ended && !attempt.closed) attempt.receive(message);
  };

  const sync = (changes: object = {}): ServerMessage => ({
    type: "state_sync",
    channel,
    data: {
      ...(document.data !== undefined && { state: document.data }),
      version: document.version,
      position: position(),
      hash: hashOf(document.data),
      ...changes,
    },
    ...(document.meta !== undefined && { meta: document.meta }),
  });

  /** The `state_sync` of another document at another position. */
  const syncOf = ({ data, meta, version }: Doc, where: Position): ServerMessage => ({
    ...sync({ state: data, version, position: where, hash: hashOf(data) }),
    ...(meta !== undefined && { meta }),
  });

  const publish = <Message extends Published>(message: Omit<Message, "metadata" | "channel">, isSent = true): void => {
    const link = { offset: chain.length + 1, id: `i${++ids}`, prev: idAt(chain.length) };
    const published = { ...message, channel, metadata: link } as unknown as Published;
    chain.push(published);
    if (isSent) live(published);
  };

  const verdict = ({ position: from, state }: Asked): { result: object; synced: boolean } => {
    const now = position();
    if (!from) return { result: { position: now }, synced: true };
    const reset =
      from.epoch !== now.epoch
        ? "epoch"
        : from.offset > chain.length || idAt(from.offset) !== from.id
          ? "fork"
          : from.offset < trimmed
            ? "trimmed"
            : undefined;
    if (reset) return { result: { reset, position: now }, synced: true };
    const behind = chain.slice(from.offset);
    // If a change was published without patches, only the whole document contains the change.
    const isWhole = behind.every((each) => each.type !== "state_update" || each.data.patches.length > 0);
    const synced = state !== "held" || !sendsPatches || !isWhole;
    const missed = behind.map((each) =>
      each.type === "state_update" && synced ? { ...each, data: { ...each.data, patches: [] } } : each,
    );
    // If the patches deliver all changes, or nothing changed, no document follows.
    const isNeeded = state !== "held" || missed.some(({ type }) => type === "state_update");
    return { result: { missed, position: now }, synced: synced && isNeeded };
  };

  const answer = (at: Attempt, correlation_id: string | undefined, wish: Asked): void => {
    if (refusal) {
      const results = [{ ok: false as const, channel: wish.channel, error: refusal }];
      at.receive({
        type: "subscribe_response",
        ...(correlation_id && { correlation_id }),
        data: { success: false, subscribed: [], results },
      });
      return;
    }
    joined = true;
    const { result, synced } = verdict(wish);
    const results = [{ ok: true as const, channel: wish.channel, ...result }];
    at.receive({
      type: "subscribe_response",
      ...(correlation_id && { correlation_id }),
      data: { success: true, subscribed: [wish.channel], results },
    });
    if (synced) at.receive(sync());
  };

  const good = answers({ connected: connected({ protocol: { name: "boards", version: "1.0.0", fingerprint: "x" } }) });
  const behaviour: Behaviour = {
    opened(next) {
      attempt = next;
      joined = false;
      unanswered.length = 0;
      good.opened?.(next);
    },
    received(at, message) {
      if (message.type === "unsubscribe") joined = false;
      if (message.type !== "subscribe") return good.received?.(at, message);
      for (const each of message.data.channels) {
        const wish = (typeof each === "string" ? { channel: each } : each) as Asked;
        asked.push(wish);
        const reply = (): void => answer(at, message.correlation_id, wish);
        if (holds) unanswered.push(reply);
        else reply();
      }
    },
  };

  return {
    behaviour,
    /** The items of all subscribes so far. The array grows. */
    asked,
    position,
    live,
    sync,
    syncOf,
    /** The latest publications. */
    last: (count: number): readonly Published[] => chain.slice(-count),
    get document() {
      return document;
    },
    /** Publishes an event. */
    move: (step: number, isSent = true) =>
      publish<Event>({ type: "event", event: "moved", data: step } as never, isSent),
    /** Changes the document and publishes the change. */
    patch(
      patches: Patch[],
      { meta, isSent = true, ...changes }: { meta?: unknown; isSent?: boolean } & Partial<Update["data"]> = {},
    ) {
      const data = applyPatches(document.data, patches);
      const version = document.version + 1;
      document = { data, version, meta: meta ?? document.meta };
      const hash = version % 4 === 0 ? { hash: hashOf(data) } : {};
      publish<Update>(
        {
          type: "state_update",
          data: { version, patches: patches as never, ...hash, ...changes },
          ...(meta !== undefined && { meta }),
        } as never,
        isSent,
      );
    },
    /** Starts a new history with another document. */
    begin(next: Doc) {
      epoch++;
      [chain, trimmed, document] = [[], 0, next];
    },
    /** Starts a new history and sends a reset and the document. */
    reset(next: Doc = document) {
      this.begin(next);
      live({ type: "reset", channel, data: { reason: "epoch", position: position() } });
      live(sync());
    },
    /** The document after these patches. */
    preview: applyPatches,
    /** Makes the channel unavailable until the client subscribes again. */
    down() {
      live({ type: "unsubscribed", channel, data: { code: "UNAVAILABLE", message: "Down." } });
      joined = false;
    },
    trim: () => void (trimmed = chain.length),
    delete(reason: string) {
      live({
        type: "state_deleted",
        channel,
        data: { reason },
        metadata: { offset: chain.length + 1, id: `i${++ids}`, prev: idAt(chain.length) },
      });
      joined = false;
      refusal = { code: "STATE_DELETED", message: reason };
    },
    refuse: (next: typeof refusal) => void (refusal = next),
    patches: (is: boolean) => void (sendsPatches = is),
    hold(is: boolean) {
      holds = is;
      if (!is) for (const reply of unanswered.splice(0)) reply();
    },
    cut: () => void (attempt && !attempt.ended && !attempt.closed && attempt.end()),
  };
}
