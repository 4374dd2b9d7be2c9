import { HoldfastError } from "@holdfast/protocol";
import type { Channels } from "../channel/channels.js";
import type { Environment } from "../environment.js";
import type { DeliveryFailure } from "./acks.js";
import type { Connection } from "./connection.js";
import type { ClientSession } from "./session.js";

export interface SendOptions {
  /**
   * Whether to wait for the clients: a device then counts as delivered when its handlers have finished.
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

/** A device that an event is for; without a connection there is no way to it. */
export interface Target {
  readonly deviceId: string;
  readonly connection: Connection | undefined;
}

/** A session as the target of an event. Without a user there is no device, and the session stands for one. */
export function targetOf({ id, deviceId = id, connection }: ClientSession): Target {
  return { deviceId, connection };
}

/** Sends direct events to chosen devices, and waits for their acks where it is asked to. */
export class DirectEvents {
  readonly #channels: Channels;
  readonly #environment: Environment;

  constructor(channels: Channels, environment: Environment) {
    this.#channels = channels;
    this.#environment = environment;
  }

  /** @throws HoldfastError (rejects) INVALID_VALUE or LIMIT_EXCEEDED, naming the field */
  async send(
    targets: readonly Target[],
    event: string,
    data: unknown,
    { ack = false, timeoutMs = 10_000 }: SendOptions,
  ): Promise<DeliveryReport> {
    if (!(timeoutMs > 0 && timeoutMs < 2 ** 31))
      throw new HoldfastError("INVALID_VALUE", "send: timeoutMs: expected a number of milliseconds above 0.", {
        field: "timeoutMs",
      });
    const delivered: string[] = [];
    const failed = targets
      .filter(({ connection }) => !connection)
      .map(({ deviceId }) => ({ deviceId, reason: "not_connected" as DeliveryFailure }));
    const reached = targets.filter((target): target is Target & { connection: Connection } => !!target.connection);
    const connections = reached.map(({ connection }) => connection);
    const id = ack ? this.#environment.newId() : undefined;
    this.#channels.send(event, data, connections, id);
    const outcomes = id === undefined ? [] : await this.#outcomes(connections, id, timeoutMs);
    reached.forEach(({ deviceId }, index) => {
      const reason = outcomes[index];
      if (reason === undefined) delivered.push(deviceId);
      else failed.push({ deviceId, reason });
    });
    return { delivered, failed };
  }

  #outcomes(
    connections: readonly Connection[],
    id: string,
    timeoutMs: number,
  ): Promise<(DeliveryFailure | undefined)[]> {
    const outcomes = Promise.all(connections.map(({ acks }) => acks.expect(id)));
    if (connections.length === 0) return outcomes;
    const cancel = this.#environment.after(timeoutMs, () => {
      for (const { acks } of connections) acks.settle(id, "timeout");
    });
    return outcomes.finally(cancel);
  }
}
