import type { Position } from "@holdfast/protocol";
import type { BrokerLink } from "../broker/broker.js";
import type { Topics } from "../log/topics.js";
import type { ServerEnvironment } from "../environment.js";
import type { Logger } from "../observe/logger.js";
import type { DirectEvents } from "../session/direct.js";
import type { Reauthorizer } from "../session/reauthorizer.js";
import type { RemoteInstances } from "../session/remote-instances.js";
import type { OrderPlace, SessionFilter } from "../session/recent-disconnects.js";
import type { Sessions } from "../session/sessions.js";
import { matching } from "../session/session-filter.js";
import { Control } from "./control.js";
import { DeviceTables } from "./device-tables.js";
import { DeviceDirectory, type DirectoryParts } from "./device-directory.js";
import { InstanceRpc } from "./instance-rpc.js";
import type { Order, Question } from "./instance-messages.js";
import { Users } from "./users.js";

export interface ClusterParts {
  /** The id of this instance. */
  readonly id: string;
  readonly link: BrokerLink;
  readonly topics: Topics;
  readonly environment: ServerEnvironment;
  readonly logger: Logger;
  readonly sessions: Sessions;
  readonly direct: DirectEvents;
  readonly devices: DirectoryParts["devices"];
  readonly judgementMs: number;
  readonly permissions: Reauthorizer;
}

/**
 * Everything that this instance does together with the other instances of the same broker. This
 * class creates the parts and connects them: `Control` sends orders to all instances, `InstanceRpc`
 * asks one instance a question, `DeviceDirectory` publishes which instance holds each device and
 * ends the older session if two instances hold the same device, and `Users` finds a user's devices
 * and delivers direct events.
 */
export class Cluster implements RemoteInstances {
  readonly users: Users;
  readonly #parts: ClusterParts;
  readonly #rpc: InstanceRpc;
  readonly #control: Control;
  readonly #directory: DeviceDirectory;

  constructor(parts: ClusterParts) {
    this.#parts = parts;
    const { id, link, environment, sessions } = parts;
    const tables = new DeviceTables(id, link, environment);
    const rpc = new InstanceRpc(parts, (question) => this.#answer(question));
    this.#rpc = rpc;
    this.users = new Users({ ...parts, tables, rpc, instances: () => link.instances() });
    this.#directory = new DeviceDirectory({ ...parts, tables, rpc });
    this.#control = new Control({
      ...parts,
      rpc,
      apply: (order, place) => this.#carryOut(order, place),
      placed: (place) => sessions.placed(place),
      lost: () => this.#reauthorizeAll(),
    });
  }

  /**
   * The position up to which this instance knows the orders to all instances; undefined while it
   * cannot follow the log of orders.
   */
  ordersKnown(): Promise<Position | undefined> {
    return this.#control.known();
  }

  async endUser(
    userId: string,
    code: number,
    reason: string,
    where: SessionFilter | undefined,
    pattern?: object,
  ): Promise<number> {
    const id = this.#parts.environment.newId();
    const here = this.#parts.sessions.endUser(userId, code, reason, where, { id });
    return here + (await this.#control.issue(id, { kind: "end_user", userId, code, reason, where: pattern }));
  }

  async endSession(sessionId: string, code: number, reason: string): Promise<boolean> {
    const id = this.#parts.environment.newId();
    const wasHere = this.#parts.sessions.end(sessionId, code, reason, { id });
    const elsewhere = await this.#control.issue(id, { kind: "end_session", sessionId, code, reason });
    return wasHere || elsewhere > 0;
  }

  async reauthorize(userId: string): Promise<void> {
    await this.#control.issue(this.#parts.environment.newId(), { kind: "reauthorize", userId });
  }

  async isAlone(): Promise<boolean> {
    return (await this.#parts.link.instances()).size <= 1;
  }

  gone(instances: readonly string[]): void {
    this.#rpc.gone(instances);
    this.#directory.audit();
  }

  putAgain(): void {
    this.#directory.putAgain();
  }

  /**
   * Called after the sessions have ended. Their devices are removed from the tables while the
   * broker link is still open.
   */
  async close(): Promise<void> {
    await this.#directory.close();
    this.#control.close();
    this.#rpc.close();
  }

  #answer(question: Question): unknown {
    switch (question.kind) {
      case "end":
        return this.#directory.answerEnd(question);
      case "deliver":
        return this.users.answerDeliver(question);
      case "devices":
        return this.users.answerDevices(question.userId);
      default:
        return question satisfies never;
    }
  }

  #carryOut(order: Order, place: OrderPlace): Promise<number> | number {
    const { sessions } = this.#parts;
    switch (order.kind) {
      case "end_user": {
        const { userId, code, reason, where } = order;
        return sessions.endUser(userId, code, reason, whereOf(where), place);
      }
      case "end_session":
        return sessions.end(order.sessionId, order.code, order.reason, place) ? 1 : 0;
      case "reauthorize":
        return place.isOld ? 0 : this.#reauthorizeUser(order.userId);
      default:
        return order satisfies never;
    }
  }

  async #reauthorizeUser(userId: string): Promise<number> {
    const { sessions, permissions } = this.#parts;
    const connections = sessions.ofUser(userId).flatMap(({ connection }) => connection ?? []);
    await Promise.all(connections.map((connection) => permissions.reauthorize(connection)));
    return connections.length;
  }

  /**
   * Orders may have been lost, so every permission is checked again. A connection whose permissions
   * still hold stays in its channels.
   */
  #reauthorizeAll(): void {
    const { sessions, permissions, logger } = this.#parts;
    const connections = sessions.live().flatMap(({ connection }) => connection ?? []);
    Promise.all(connections.map((connection) => permissions.reauthorize(connection))).catch((error: unknown) =>
      logger.error({ err: error }, "reauthorization failed"),
    );
  }
}

/**
 * Returns the filter of an order; undefined selects all sessions of the user. A filter that cannot
 * be read also selects all sessions: a user can log in again, but a session that survives a ban
 * would stay.
 */
function whereOf(pattern: unknown): SessionFilter | undefined {
  if (typeof pattern !== "object" || pattern === null) return undefined;
  try {
    return matching(pattern);
  } catch {
    return undefined;
  }
}
