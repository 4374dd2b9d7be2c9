import { type ChannelId, type Fault, HoldfastError, type RichValue } from "@holdfast/protocol";
import type { Frame } from "../transport/frame.js";
import { Presence, presenceFrame, type PresenceSettings } from "./presence.js";
import type { Subscriber } from "./subscriber.js";

/** What one user may show on one channel, in characters of JSON. */
const MAX_DATA = 1_024;

/** A user who is on a channel. */
export interface PresentUser<Data = unknown> {
  readonly userId: string;
  /** The user's devices on the channel. Through the grace after the last one has left, that one. */
  readonly devices: readonly string[];
  /** What others see of the user. */
  readonly data: Data;
}

/** Who is where: a presence for each channel that somebody is on, or was on a moment ago. */
export class Presences {
  readonly #settings: PresenceSettings;
  readonly #deliver: (wire: string, frame: Frame) => void;
  readonly #byChannel = new Map<string, Presence>();

  /** `deliver` hands a frame to the members of a channel. */
  constructor(settings: PresenceSettings, deliver: (wire: string, frame: Frame) => void) {
    this.#settings = settings;
    this.#deliver = deliver;
  }

  get size(): number {
    return this.#byChannel.size;
  }

  arrive(id: ChannelId, { userId, deviceId }: Subscriber): void {
    if (!id.contract.presence || userId === undefined || deviceId === undefined) return;
    this.#of(id.wire).arrive(userId, deviceId);
  }

  depart(wire: string, { userId, deviceId }: Subscriber): void {
    if (userId === undefined || deviceId === undefined) return;
    this.#byChannel.get(wire)?.depart(userId, deviceId);
  }

  /** What a client of the user has said last. */
  said({ wire }: ChannelId, userId: string): unknown {
    return this.#byChannel.get(wire)?.said(userId);
  }

  /** What others see of a user on a channel; undefined: nothing. @throws HoldfastError INVALID_VALUE or LIMIT_EXCEEDED */
  set(id: ChannelId, userId: string, value: unknown, said: unknown): void {
    this.#byChannel.get(id.wire)?.set(userId, value === undefined ? undefined : checked(id, value), said);
  }

  /** What a new member is told first; undefined where the channel knows no presence. */
  snapshot(id: ChannelId): Frame | undefined {
    // Where nobody is, nothing is kept: keys are a peer's to choose.
    return id.contract.presence && (this.#byChannel.get(id.wire)?.snapshot ?? presenceFrame(id.wire, "snapshot"));
  }

  count({ wire }: ChannelId): number {
    return this.#byChannel.get(wire)?.count ?? 0;
  }

  list({ wire, contract }: ChannelId): PresentUser[] {
    return (this.#byChannel.get(wire)?.users() ?? []).map(({ userId, devices, data }) => {
      const read = contract.presence?.receive(data.data, data.meta, "data");
      return { userId, devices, data: read?.ok ? read.value : undefined };
    });
  }

  close(): void {
    for (const presence of this.#byChannel.values()) presence.close();
    this.#byChannel.clear();
  }

  #of(wire: string): Presence {
    const found = this.#byChannel.get(wire);
    if (found) return found;
    const presence = new Presence(
      wire,
      this.#settings,
      (frame) => this.#deliver(wire, frame),
      () => void this.#byChannel.delete(wire),
    );
    this.#byChannel.set(wire, presence);
    return presence;
  }
}

function checked({ wire, contract }: ChannelId, value: unknown): RichValue {
  const sent = contract.presence?.send(value, "data");
  if (!sent?.ok) throw invalid(wire, sent?.fault);
  if (JSON.stringify(sent.value).length > MAX_DATA) {
    const text = `${wire}: data: a user may show ${MAX_DATA} characters of JSON.`;
    throw new HoldfastError("LIMIT_EXCEEDED", text, { field: "data" });
  }
  return sent.value;
}

function invalid(wire: string, fault: Fault | undefined): HoldfastError {
  return new HoldfastError("INVALID_VALUE", `${wire}: ${fault?.message ?? "no presence is declared."}`, {
    field: fault?.field,
    cause: fault?.cause,
  });
}
