import {
  type ChannelId,
  type ClientMessage,
  HoldfastError,
  isHoldfastError,
  parseChannel,
  type Protocol,
  toWire,
} from "@holdfast/protocol";
import type { Presences } from "../channel/presences.js";
import type { Logger } from "../observe/logger.js";
import type { Stats } from "../observe/stats.js";
import type { Connection } from "../session/connection.js";
import { replyTo } from "./reply-to.js";

type SetPresence = ClientMessage & { type: "set_presence" };

/** What the application says that others see of a user, given what the user's client says. */
export type ShowMember = (connection: Connection, id: ChannelId, data: unknown) => unknown;

export interface PresenceUpdateParts {
  readonly protocol: Protocol;
  readonly presences: Presences;
  /** The application's `presence`, by channel. A channel that is not in it shows what the client says. */
  readonly show: ReadonlyMap<string, ShowMember>;
  readonly stats: Stats;
  readonly logger: Logger;
}

/** Decides what others see of a user who is on a channel: when it joins, and whenever its client says something new. */
export class PresenceUpdates {
  readonly #parts: PresenceUpdateParts;

  constructor(parts: PresenceUpdateParts) {
    this.#parts = parts;
  }

  /** A connection has joined. Where the application decides, what it shows is known without a word of the client. */
  joined(connection: Connection, id: ChannelId): void {
    if (!id.contract.presence || connection.userId === undefined) return;
    const { presences, show, logger } = this.#parts;
    const showMember = show.get(id.contract.name);
    if (!showMember) return;
    try {
      presences.set(id, connection.userId, showMember(connection, id, undefined));
    } catch (error) {
      // The channel was joined all the same; the user is only not seen.
      logger.error({ channel: id.contract.name, err: error }, "presence failed");
    }
  }

  /** In turn with the subscriptions of the connection: what is said of a channel behind `subscribe` comes after its verdict. */
  set(connection: Connection, message: SetPresence): void {
    const { membership } = connection;
    if (!membership) return this.#refuse(connection, message, notJoined(message.channel));
    membership.change(1, () => {
      const error = this.#set(connection, message);
      if (error) this.#refuse(connection, message, error);
    });
  }

  #set(connection: Connection, { channel, data, meta }: SetPresence): HoldfastError | undefined {
    const { protocol, presences, show, logger } = this.#parts;
    const parsed = parseChannel(protocol, channel);
    const id = parsed.ok ? parsed.value : undefined;
    if (!id || !connection.membership?.has(id.wire)) return notJoined(channel);
    const { presence, name } = id.contract;
    const { userId } = connection;
    if (!presence || userId === undefined) return notKnown(channel);
    const said = data === undefined ? undefined : presence.receive(data, meta, "data");
    if (said?.ok === false) return new HoldfastError("INVALID_INPUT", said.fault.message, { field: said.fault.field });
    try {
      const showMember = show.get(name);
      presences.set(id, userId, showMember ? showMember(connection, id, said?.value) : said?.value);
      return undefined;
    } catch (error) {
      // A limit is the client's to keep; what the application returned or threw is not the client's to read.
      if (isHoldfastError(error) && error.code === "LIMIT_EXCEEDED") return error;
      logger.error({ channel: name, err: error }, "presence failed");
      return new HoldfastError("INTERNAL", `What others see of you on ${channel} could not be decided.`);
    }
  }

  #refuse(connection: Connection, message: SetPresence, error: HoldfastError): void {
    this.#parts.stats.error(error.code);
    connection.send({ type: "error", ...replyTo(message), channel: message.channel, data: toWire(error) });
  }
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
