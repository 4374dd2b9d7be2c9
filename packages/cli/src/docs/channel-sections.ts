import { DIRECT_CHANNELS, type DocumentedChannel, type DocumentedEvent, type DocumentedValue } from "./application.js";
import { channelCall, directCalls, documentCalls, eventCalls, presenceCalls } from "./calls.js";
import { number } from "./fields.js";
import {
  type Badge,
  type Block,
  code,
  frame,
  framesFold,
  link,
  nth,
  type Section,
  sequenceSection,
  table,
  text,
} from "./reference.js";
import type { Sequence } from "./sequence.js";
import { valueFields } from "./value-fields.js";

export function channelsSection(channels: readonly DocumentedChannel[], sequences: readonly Sequence[]): Section {
  return {
    id: "channels",
    title: "Channels",
    blocks: [
      table(
        ["Channel", "Events", "Description"],
        channels.map((channel) => [
          link(`channel-${channel.name}`, code(channel.key ? `${channel.name}:key` : channel.name)),
          channel.events.map(({ name }) => code(name)).join(", "),
          channel.description ?? "",
        ]),
      ),
    ],
    sections: [...channels.map(channelSection), ...sequences.map(sequenceSection)],
  };
}

function channelSection(channel: DocumentedChannel): Section {
  const { name, description, key, history, events, state, presence } = channel;
  const id = `channel-${name}`;
  const badges: Badge[] = [...(key ? (["key"] as const) : []), ...(history ? (["history"] as const) : [])];
  return {
    id,
    title: name,
    isName: true,
    badges,
    blocks: [
      ...(description ? [text(description)] : []),
      ...(key ? [text(`There is one channel for each key: \`${name}:\` and the key.`), valueFields("Key", key)] : []),
      ...(history
        ? [
            text(
              `History: the last ${number(history.size)} events, for ${duration(history.ttlMs)}. Each event carries its position in ` +
                "`metadata`. A client that reconnects receives the events that it missed, or a reset.",
            ),
          ]
        : []),
      channelCall(channel),
      framesFold(frame("Subscribe", "client", channel.subscribe)),
    ],
    sections: [
      ...events.map((event) => eventSection(event, `${id}-event-${event.name}`, eventCalls(channel, event))),
      ...(state
        ? [
            valueSection(
              `${id}-document`,
              "Document",
              "A versioned document. Its updates are events of the channel's history.",
              state,
              documentCalls(channel, state),
            ),
          ]
        : []),
      ...(presence
        ? [
            valueSection(
              `${id}-presence`,
              "Presence",
              "The data that other members see of each user on the channel. It travels in `data`.",
              presence,
              presenceCalls(channel, presence),
            ),
            {
              id: `${id}-set-presence`,
              title: "Set presence",
              badges: ["client → server"],
              blocks: [
                text(
                  "The client sends the data that other members should see of its user. The server may replace this data.",
                ),
                framesFold(frame("Message", "client", presence.said)),
              ],
            } satisfies Section,
          ]
        : []),
    ],
  };
}

function eventSection({ name, value, frames }: DocumentedEvent, id: string, calls: readonly Block[]): Section {
  return {
    id,
    title: name,
    isName: true,
    badges: ["server → client"],
    blocks: [
      ...calls,
      valueFields("Data", value),
      framesFold(...frames.map((message, index) => frame(nth("Event", index, frames), "server", message))),
    ],
  };
}

function valueSection(
  id: string,
  title: string,
  sentence: string,
  value: DocumentedValue & { readonly frames: readonly unknown[] },
  calls: readonly Block[],
): Section {
  return {
    id,
    title,
    badges: ["server → client"],
    blocks: [
      text(sentence),
      ...calls,
      valueFields(title, value),
      framesFold(
        ...value.frames.map((message, index) => frame(nth("Message", index, value.frames), "server", message)),
      ),
    ],
  };
}

export function directSection(events: readonly DocumentedEvent[], sequences: readonly Sequence[]): Section {
  return {
    id: "direct",
    title: "Direct events",
    blocks: [
      text(
        "The server sends a direct event to a user's devices or to all connections. Clients need no " +
          `subscription. On the wire the \`channel\` is the library's own, ${DIRECT_CHANNELS.map((name) => `\`${name}\``).join(" or ")}: ` +
          "all names that begin with $ belong to the library. If `metadata.ack` is true, the sender waits for an `ack` with the event's id.",
      ),
    ],
    sections: [
      ...events.map((event) => eventSection(event, `direct-${event.name}`, directCalls(event))),
      ...sequences.map(sequenceSection),
    ],
  };
}

function duration(ms: number): string {
  const units = [
    [86_400_000, "day"],
    [3_600_000, "hour"],
    [60_000, "minute"],
    [1_000, "second"],
  ] as const;
  for (const [length, unit] of units) {
    if (ms % length === 0) return `${ms / length} ${ms === length ? unit : `${unit}s`}`;
  }
  return `${number(ms)} ms`;
}
