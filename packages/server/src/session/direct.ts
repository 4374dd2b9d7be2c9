import { checkOptions, optionError } from "../call-options.js";
import type { Channels } from "../channel/channels.js";
import type { ServerEnvironment } from "../environment.js";
import type { Frame } from "../transport/frame.js";
import type { DeliveryFailure } from "./acks.js";
import type { Connection } from "./connection.js";
import type { ClientSession } from "./client-session.js";

export interface SendOptions {
  /**
   * Whether to wait for the clients: a device then counts as delivered when its handlers have
   * finished.
   * @default false: a device counts as delivered when the event was handed to its connection
   */
  readonly ack?: boolean;
  /** How long to wait for the acks. Milliseconds. @default 10_000 */
  readonly timeoutMs?: number;
}

/** What became of a direct event, device by device. */
export interface DeliveryReport {
  /** The devices it was delivered to. */
  readonly delivered: readonly string[];
  /** Those it was not delivered to, or not as far as is known, and why. */
  readonly failed: readonly { readonly deviceId: string; readonly reason: DeliveryFailure }[];
}

/** A direct event, encoded once, however many instances hand it to their connections. */
export interface Prepared {
  readonly frame: Frame;
  /** Under which the acks come; undefined: none is waited for. */
  readonly ackId: string | undefined;
  readonly timeoutMs: number;
}

/** A device that an event is for; without a connection there is no way to it. */
export interface Target {
  readonly deviceId: string;
  readonly connection: Connection | undefined;
}

/**
 * A session as the target of an event. Without a user there is no device, and the session stands
 * for one.
 */
export function targetOf({ id, deviceId = id, connection }: ClientSession): Target {
  return { deviceId, connection };
}

/** Sends direct events to chosen devices, and waits for their acks where it is asked to. */
export class DirectEvents {
  readonly #channels: Channels;
  readonly #environment: ServerEnvironment;

  constructor(channels: Channels, environment: ServerEnvironment) {
    this.#channels = channels;
    this.#environment = environment;
  }

  /**
   * The event as it travels, and how long to wait for it.
   * @throws HoldfastError INVALID_VALUE, LIMIT_EXCEEDED or INVALID_OPTION, naming the field
   */
  prepare(event: string, data: unknown, options: SendOptions): Prepared {
    checkOptions("send", options, ["ack", "timeoutMs"]);
    const { ack = false, timeoutMs = 10_000 } = options;
    if (!(timeoutMs > 0 && timeoutMs < 2 ** 31))
      throw optionError("send", "timeoutMs", "expected a number of milliseconds above 0");
    const ackId = ack ? this.#environment.newId() : undefined;
    return { frame: this.#channels.directFrame(event, data, ackId), ackId, timeoutMs };
  }

  /**
   * @throws HoldfastError INVALID_VALUE, LIMIT_EXCEEDED or INVALID_OPTION (rejects), naming the
   *   field
   */
  async send(targets: readonly Target[], event: string, data: unknown, options: SendOptions): Promise<DeliveryReport> {
    return this.deliver(targets, this.prepare(event, data, options));
  }

  /** `isOrigin`: it was sent here, and not handed over by another instance. Counted there. */
  async deliver(
    targets: readonly Target[],
    { frame, ackId, timeoutMs }: Prepared,
    isOrigin = true,
  ): Promise<DeliveryReport> {
    const connections = targets.flatMap(({ connection }) => connection ?? []);
    // Before the event is handed over: a connection that turns out to be too slow for it is gone
    // with its acks.
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

/** What a connection has answered; undefined: that it has handled the event. */
type Outcome = readonly [connection: Connection, failure: DeliveryFailure | undefined];

function failureOf(
  connection: Connection,
  settled: ReadonlyMap<Connection, DeliveryFailure | undefined>,
): DeliveryFailure | undefined {
  if (settled.has(connection)) return settled.get(connection);
  return connection.isOpen ? undefined : "disconnected";
}
