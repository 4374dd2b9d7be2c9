import { checkOptions, optionError } from "../call-options.js";
import type { Channels } from "../channel/channels.js";
import type { ServerEnvironment } from "../environment.js";
import type { Frame } from "../transport/frame.js";
import type { DeliveryFailure } from "./acks.js";
import type { Connection } from "./connection.js";
import type { ClientSession } from "./client-session.js";

export interface SendOptions {
  /**
   * If true, the call waits until each client has acknowledged the event. A device then counts as
   * delivered when the client's handlers have finished.
   * @default false: a device counts as delivered when the event was passed to its connection
   */
  readonly ack?: boolean;
  /** How long to wait for acknowledgements. Milliseconds. @default 10_000 */
  readonly timeoutMs?: number;
}

/** The result of a direct event for each device. */
export interface DeliveryReport {
  /** The ids of the devices that the event was delivered to. */
  readonly delivered: readonly string[];
  /**
   * The devices that the event was not delivered to, or whose delivery could not be confirmed, with
   * the reason.
   */
  readonly failed: readonly { readonly deviceId: string; readonly reason: DeliveryFailure }[];
}

/** A direct event that is encoded once, for any number of connections and instances. */
export interface Prepared {
  readonly frame: Frame;
  /** The id that clients acknowledge; undefined if no acknowledgement is expected. */
  readonly ackId: string | undefined;
  readonly timeoutMs: number;
}

/** A device that an event is for. Without a connection, the device cannot be reached. */
export interface Target {
  readonly deviceId: string;
  readonly connection: Connection | undefined;
}

/**
 * Returns the session as the target of an event. A session without a user has no device, so the
 * session's id is used.
 */
export function targetOf({ id, deviceId = id, connection }: ClientSession): Target {
  return { deviceId, connection };
}

/**
 * Encodes direct events, sends them to chosen devices of this instance, and waits for
 * acknowledgements if the caller asked for them. `instances/users.ts` does the same across
 * instances.
 */
export class DirectEvents {
  readonly #channels: Channels;
  readonly #environment: ServerEnvironment;

  constructor(channels: Channels, environment: ServerEnvironment) {
    this.#channels = channels;
    this.#environment = environment;
  }

  /**
   * Encodes an event and validates the options.
   * @throws HoldfastError INVALID_VALUE, LIMIT_EXCEEDED or INVALID_OPTION, naming the field
   */
  prepare(event: string, data: unknown, options: SendOptions): Prepared {
    checkOptions("send", options, ["ack", "timeoutMs"]);
    const { ack = false, timeoutMs = 10_000 } = options;
    if (!(timeoutMs > 0 && timeoutMs < 2 ** 31))
      throw optionError("send", "timeoutMs", "expected a number of milliseconds above 0 and below 2 ** 31");
    const ackId = ack ? this.#environment.newId() : undefined;
    return { frame: this.#channels.directFrame(event, data, ackId), ackId, timeoutMs };
  }

  /**
   * Encodes an event, sends it and reports the result for each target.
   * @throws HoldfastError (rejects) INVALID_VALUE, LIMIT_EXCEEDED or INVALID_OPTION, naming the
   *   field
   */
  async send(targets: readonly Target[], event: string, data: unknown, options: SendOptions): Promise<DeliveryReport> {
    return this.deliver(targets, this.prepare(event, data, options));
  }

  /**
   * Sends an encoded event and reports the result for each target. `isOrigin` is false if another
   * instance asked for the delivery; that instance then counts the event.
   */
  async deliver(
    targets: readonly Target[],
    { frame, ackId, timeoutMs }: Prepared,
    isOrigin = true,
  ): Promise<DeliveryReport> {
    const connections = targets.flatMap(({ connection }) => connection ?? []);
    // Registered before the event is sent. If the event makes a connection too slow, closing the
    // connection settles its acknowledgements.
    const outcomes = ackId === undefined ? undefined : this.#outcomes(connections, ackId, timeoutMs);
    for (const connection of connections) connection.deliver(frame);
    this.#channels.count(connections.filter(({ isOpen }) => isOpen).length, isOrigin);

    const settled = new Map(outcomes && (await outcomes));
    const delivered: string[] = [];
    const failed: { deviceId: string; reason: DeliveryFailure }[] = [];
    for (const { deviceId, connection } of targets) {
      const reason = connection ? failureOf(connection, settled) : "not_connected";
      if (reason === undefined) delivered.push(deviceId);
      else failed.push({ deviceId, reason });
    }
    return { delivered, failed };
  }

  #outcomes(connections: readonly Connection[], id: string, timeoutMs: number): Promise<Outcome[]> {
    const outcomes = Promise.all(
      connections.map(async (connection): Promise<Outcome> => [connection, await connection.acks.expect(id)]),
    );
    if (connections.length === 0) return outcomes;
    const cancel = this.#environment.after(timeoutMs, () => {
      for (const { acks } of connections) acks.settle(id, "timeout");
    });
    return outcomes.finally(cancel);
  }
}

/** The answer of one connection; undefined means that the client handled the event. */
type Outcome = readonly [connection: Connection, failure: DeliveryFailure | undefined];

function failureOf(
  connection: Connection,
  settled: ReadonlyMap<Connection, DeliveryFailure | undefined>,
): DeliveryFailure | undefined {
  if (settled.has(connection)) return settled.get(connection);
  return connection.isOpen ? undefined : "disconnected";
}
