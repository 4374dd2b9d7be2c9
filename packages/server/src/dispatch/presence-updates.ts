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

/** What the application says that others see of a user, given what the user's client says. */
export type ShowMember = (connection: Connection, id: ChannelId, data: unknown) => unknown;

export interface PresenceUpdateParts {
  readonly protocol: Protocol;
  readonly presences: PresenceRegistry;
  /**
   * The application's `presence`, by channel. A channel that is not in it shows what the client
   * says.
   */
  readonly show: ReadonlyMap<string, ShowMember>;
  readonly stats: Stats;
  readonly settings: ServerSettings;
}

/**
 * What a client may say, in characters of JSON; what the application makes of it has a bound of its
 * own.
 */
const MOST_SAID = 1_024;
/** What one that waits costs, in names of channels: 256 of them are as much as may wait. */
const WEIGHT = 16;

/**
 * Decides what others see of a user who is on a channel: when it joins, and whenever its client
 * says something new.
 */
export class PresenceUpdates {
  readonly #parts: PresenceUpdateParts;

  constructor(parts: PresenceUpdateParts) {
    this.#parts = parts;
  }

  /**
   * A connection has joined. Where the application decides, what it shows is known without a word
   * of the client.
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
      // The channel was joined all the same; the user is only not seen.
      settings.logger.error({ channel: id.contract.name, err: error }, "presence failed");
    }
  }

  /**
   * In turn with the subscriptions of the connection: what is said of a channel behind `subscribe`
   * comes after its verdict.
   */
  set(connection: Connection, message: PresenceChange): void {
    const { settings } = this.#parts;
    const reply = replyTo(message);
    const { channel, data, meta } = message;
    const refuse = (error: HoldfastError): void => {
      this.#parts.stats.error(error.code);
      connection.send({ type: "error", ...reply, channel, data: toWire(error) });
    };
    // What waits is kept: bounded, and as text, since a thousand small objects take fifty times the
    // room of theirs.
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
      // A limit is the client's to keep; what the application returned or threw is not the client's
      // to read.
      if (isHoldfastError(error) && error.code === "LIMIT_EXCEEDED") return error;
      settings.logger.error({ channel: name, err: error }, "presence failed");
      return new HoldfastError("INTERNAL", `What others see of you on ${channel} could not be decided.`);
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
  return new HoldfastError("FORBIDDEN", `Nobody is shown as present on ${channel}.`, {
    field: "channel",
    remedy: "Declare `presence` for the channel, and authenticate.",
  });
}
