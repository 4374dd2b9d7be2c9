import {
  channelId,
  type ChannelId,
  type Fault,
  HoldfastError,
  type Protocol,
  type RichValue,
  type ServerMessage,
  type ValueSchema,
} from "@holdfast/protocol";
import type { Stats } from "../observe/stats.js";
import { Frame } from "../transport/frame.js";
import { Channel } from "./channel.js";
import type { PresenceSettings } from "./presence.js";
import { Presences } from "./presences.js";
import type { Subscriber } from "./subscriber.js";

/** What came of a publication. */
export interface Published {
  /** How many connections it was handed to. */
  readonly delivered: number;
}

/**
 * The channel that every connection is on from the start. The library's own channels begin with $, which no name in a
 * protocol can: "to all" is a publication like any other, not a second way out.
 */
export const EVERYONE = "$all";

/** A direct event for some: its channel's members are chosen anew for each event, by user, device or session. */
const CHOSEN = "$user";

/** The channels that have members on this instance, and the one way out: validate, encode once, hand to every member. */
export class Channels {
  readonly #protocol: Protocol;
  readonly #stats: Stats;
  readonly #maxEventBytes: number;
  readonly #channels = new Map<string, Channel>();
  readonly #everyone = new Channel();
  /** Who is on them. */
  readonly presences: Presences;

  /** `maxEventBytes`: what a connection may be owed. A larger event would close every member, each time it came back. */
  constructor(protocol: Protocol, stats: Stats, maxEventBytes: number, presence: PresenceSettings) {
    this.#protocol = protocol;
    this.presences = new Presences(presence, (wire) => this.#channels.get(wire)?.members ?? []);
    this.#stats = stats;
    this.#maxEventBytes = maxEventBytes;
  }

  /** The name and key of a channel, checked. @throws HoldfastError UNKNOWN_CHANNEL */
  identify(name: string, key: string | undefined): ChannelId {
    const checked = channelId(this.#protocol, name, key);
    if (!checked.ok) throw new HoldfastError("UNKNOWN_CHANNEL", checked.fault.message, { field: checked.fault.field });
    return checked.value;
  }

  size(id: ChannelId): number {
    return this.#channels.get(id.wire)?.size ?? 0;
  }

  join(id: ChannelId, member: Subscriber): void {
    let channel = this.#channels.get(id.wire);
    if (!channel) this.#channels.set(id.wire, (channel = new Channel()));
    channel.add(member);
    this.presences.arrive(id, member);
    this.#stats.subscriptionsActive++;
    this.#stats.channelsActive = this.#channels.size;
  }

  leave(wire: string, member: Subscriber): void {
    const channel = this.#channels.get(wire);
    if (!channel) return;
    channel.remove(member);
    this.presences.depart(wire, member);
    this.#stats.subscriptionsActive--;
    // Keys are a peer's to choose: an empty channel that stayed would be a leak that anyone can feed.
    if (channel.size === 0) this.#channels.delete(wire);
    this.#stats.channelsActive = this.#channels.size;
  }

  arrive(member: Subscriber): void {
    this.#everyone.add(member);
  }

  depart(member: Subscriber): void {
    this.#everyone.remove(member);
  }

  /** @throws HoldfastError INVALID_VALUE or LIMIT_EXCEEDED, naming the field */
  publish(id: ChannelId, event: string, data: unknown): Published {
    const frame = this.#encode(id.wire, event, id.contract.events.get(event), data);
    return this.count(this.#channels.get(id.wire)?.deliver(frame) ?? 0);
  }

  /** Sends a direct event to every open connection. @throws HoldfastError INVALID_VALUE or LIMIT_EXCEEDED, naming the field */
  broadcast(event: string, data: unknown): Published {
    const frame = this.#encode(EVERYONE, event, this.#protocol.direct.get(event), data);
    return this.count(this.#everyone.deliver(frame));
  }

  /**
   * The frame of a direct event for chosen members. `ackId`: they are asked to tell when they have handled it.
   * @throws HoldfastError INVALID_VALUE or LIMIT_EXCEEDED, naming the field
   */
  directFrame(event: string, data: unknown, ackId: string | undefined): Frame {
    const metadata = ackId === undefined ? undefined : { id: ackId, ack: true };
    return this.#encode(CHOSEN, event, this.#protocol.direct.get(event), data, metadata);
  }

  /** A publication has reached so many. */
  count(delivered: number): Published {
    this.#stats.published++;
    this.#stats.delivered += delivered;
    return { delivered };
  }

  /** An event's frame is the same bytes for every subscriber: nothing in it belongs to one connection. */
  #encode(
    channel: string,
    event: string,
    schema: ValueSchema | undefined,
    data: unknown,
    metadata?: (ServerMessage & { type: "event" })["metadata"],
  ): Frame {
    if (!schema)
      throw new HoldfastError("INVALID_VALUE", `${channel} has no event ${JSON.stringify(event)}.`, { field: "event" });
    const sent = schema.send(data, "data");
    if (!sent.ok) throw invalidEvent(channel, event, sent.fault);
    const { value } = sent as { value: RichValue };
    const message: ServerMessage = { type: "event", channel, event, ...value, ...(metadata && { metadata }) };
    const frame = new Frame(JSON.stringify(message));
    if (frame.isLargerThan(this.#maxEventBytes)) {
      const text = `Event ${event} on ${channel} was not published: it takes more than ${this.#maxEventBytes} bytes.`;
      throw new HoldfastError("LIMIT_EXCEEDED", text, { field: "data" });
    }
    return frame;
  }
}

function invalidEvent(channel: string, event: string, fault: Fault): HoldfastError {
  return new HoldfastError("INVALID_VALUE", `Event ${event} on ${channel} was not published: ${fault.message}`, {
    field: fault.field,
    cause: fault.cause,
  });
}
