import { type ChannelId, type ClientMessage, HoldfastError, isHoldfastError, type Protocol } from "@holdfast/protocol";
import { parseChannel, toWire } from "@holdfast/protocol/internal";
import type { PresenceRegistry } from "../presence/presence-registry.js";
import type { ServerSettings } from "../settings.js";
import type { Stats } from "../observe/stats.js";
import type { Connection } from "../session/connection.js";
import { inTurn } from "./in-turn.js";
import { replyTo } from "../transport/reply-to.js";

type PresenceChange = ClientMessage & { type: "set_presence" };

type PresenceClaim = Pick<PresenceChange, "data" | "meta">;

/**
 * The application's `presence` function for a channel. The function receives the data that the
 * client sent, or undefined if there is none, and returns the data that other members see. If the
 * function returns undefined, the device shows no data.
 */
export type ShowMember = (connection: Connection, id: ChannelId, data: unknown) => unknown;

export interface PresenceUpdateParts {
  readonly protocol: Protocol;
  readonly presences: PresenceRegistry;
  /**
   * The application's `presence` functions by channel name. If a channel has none, other members
   * see the client's data unchanged.
   */
  readonly show: ReadonlyMap<string, ShowMember>;
  readonly stats: Stats;
  readonly settings: ServerSettings;
}

/**
 * The most data in `set_presence`. Characters of JSON. `PresenceRegistry` limits the application's
 * result separately.
 */
const MOST_SAID = 1_024;
/**
 * The cost of a waiting `set_presence`, counted in channel names. At this weight, 256 of these
 * messages fill a queue of 4,096.
 */
const WEIGHT = 16;

/**
 * Handles the message `set_presence` and decides which presence data other members see: when a user
 * joins a channel, and whenever the client sends new data. If the application has a `presence`
 * function for the channel, the result of that function is used. The registry stores and
 * distributes the data; this class validates the data and answers the client.
 */
export class PresenceUpdates {
  readonly #parts: PresenceUpdateParts;

  constructor(parts: PresenceUpdateParts) {
    this.#parts = parts;
  }

  /**
   * A connection has joined a channel. If the application has a `presence` function, the function
   * is called now, with the data that a client of the user sent last, if there is any.
   */
  joined(connection: Connection, id: ChannelId): void {
    if (connection.userId === undefined) return;
    const { presences, show, settings } = this.#parts;
    const showMember = show.get(id.contract.name);
    if (!showMember) return;
    try {
      const said = presences.said(id, connection.userId);
      presences.set(id, connection, showMember(connection, id, said), said);
    } catch (error) {
      // The client has joined all the same. Only the user's presence data is not set.
      settings.logger.error({ channel: id.contract.name, err: error }, "presence failed");
    }
  }

  /**
   * Runs after the connection's pending subscriptions, so a `set_presence` sent right after
   * `subscribe` is handled after the subscription has been decided.
   */
  set(connection: Connection, message: PresenceChange): void {
    const { settings } = this.#parts;
    const reply = replyTo(message);
    const { channel, data, meta } = message;
    const refuse = (error: HoldfastError): void => {
      this.#parts.stats.error(error.code);
      connection.send({ type: "error", ...reply, channel, data: toWire(error) });
    };
    // A waiting message is kept as a JSON string. A thousand small objects would take fifty times
    // the memory of the string.
    const said = JSON.stringify({ data, meta });
    if (said.length > MOST_SAID) return refuse(tooMuch());
    inTurn(connection, WEIGHT, reply, settings, () => {
      const error = this.#set(connection, channel, JSON.parse(said) as PresenceClaim);
      if (error) refuse(error);
    });
  }

  #set(connection: Connection, channel: string, { data, meta }: PresenceClaim): HoldfastError | undefined {
    const { protocol, presences, show, settings } = this.#parts;
    const parsed = parseChannel(protocol, channel);
    const id = parsed.ok ? parsed.value : undefined;
    if (!id || !connection.membership?.has(id.wire)) return notJoined(channel);
    const { presence, name } = id.contract;
    if (!presence || connection.userId === undefined) return notKnown(channel);
    const said = data === undefined ? undefined : presence.receive(data, meta, "data");
    if (said?.ok === false) return new HoldfastError("INVALID_INPUT", said.fault.message, { field: said.fault.field });
    try {
      const showMember = show.get(name);
      const value = said?.value;
      presences.set(id, connection, showMember ? showMember(connection, id, value) : value, value);
      return undefined;
    } catch (error) {
      // The client can correct a value that is too large. All other errors are the application's,
      // so only the log gets their text.
      if (isHoldfastError(error) && error.code === "LIMIT_EXCEEDED") return error;
      settings.logger.error({ channel: name, err: error }, "presence failed");
      return new HoldfastError("INTERNAL", `Your presence on ${channel} could not be updated.`);
    }
  }
}

function tooMuch(): HoldfastError {
  return new HoldfastError("LIMIT_EXCEEDED", `data: expected at most ${MOST_SAID} characters of JSON.`, {
    field: "data",
  });
}

function notJoined(channel: string): HoldfastError {
  return new HoldfastError("FORBIDDEN", `You have not joined ${channel}.`, {
    field: "channel",
    remedy: "Subscribe to the channel first.",
  });
}

function notKnown(channel: string): HoldfastError {
  return new HoldfastError("FORBIDDEN", `Presence is not available to you on ${channel}.`, {
    field: "channel",
    remedy: "Declare `presence` for the channel in the protocol, and authenticate the client.",
  });
}
