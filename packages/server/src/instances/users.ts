import type { ServerEnvironment } from "../environment.js";
import { chosen, type Choice, type Device, deviceOf } from "../session/device.js";
import { type DeliveryReport, type DirectEvents, type Prepared, type Target, targetOf } from "../session/direct.js";
import type { RemoteUsers } from "../session/remote-instances.js";
import type { Sessions } from "../session/sessions.js";
import { Frame } from "../transport/frame.js";
import type { DeviceTables } from "./device-tables.js";
import type { InstanceRpc } from "./instance-rpc.js";
import { type DeviceHolder, type Question, readDevices, readReport } from "./instance-messages.js";

/** How long another instance may take to answer from memory. */
const ANSWER_MS = 1_000;
/**
 * The time by which another instance's wait for acknowledgements is shorter than the sender's.
 * Without this margin, the report would arrive too late.
 */
const MARGIN_MS = 500;

type Deliver = Question & { kind: "deliver" };

export interface UsersParts {
  /** The id of this instance. */
  readonly id: string;
  readonly environment: ServerEnvironment;
  readonly sessions: Sessions;
  readonly direct: DirectEvents;
  readonly tables: DeviceTables;
  readonly rpc: InstanceRpc;
  instances(): Promise<ReadonlySet<string>>;
}

/**
 * A user's devices on all instances: lists the devices and sends direct events. Devices of this
 * instance come from `Sessions`, all others from the device tables and from their instances.
 */
export class Users implements RemoteUsers {
  readonly #parts: UsersParts;

  constructor(parts: UsersParts) {
    this.#parts = parts;
  }

  async devices(userId: string): Promise<Device[]> {
    const { environment, sessions, rpc } = this.#parts;
    const there = byInstance((await this.#elsewhere(userId)).filter(({ connected }) => connected));
    const answers = await Promise.all(
      [...there].map(async ([instance, holders]) => {
        const asked = await rpc.ask(instance, { kind: "devices", userId }, ANSWER_MS);
        // oxlint-disable-next-line no-restricted-properties -- a date for display
        const now = environment.now();
        const times = new Map(
          asked.kind === "answer"
            ? readDevices(asked.answer).map(({ sessionId, silentMs }) => [sessionId, Math.round(now - silentMs)])
            : [],
        );
        return holders.map(({ deviceId, sessionId, connectedAt, claimedAt }) => ({
          id: deviceId,
          sessionId,
          connectedAt: new Date(connectedAt),
          lastActiveAt: new Date(times.get(sessionId) ?? claimedAt),
        }));
      }),
    );
    const here = sessions.ofUser(userId).filter(({ isConnected }) => isConnected);
    return [...here.map(deviceOf), ...answers.flat()];
  }

  async isConnected(userId: string, deviceId: string | undefined): Promise<boolean> {
    const holders = await this.#elsewhere(userId);
    return holders.some((holder) => holder.connected && (deviceId === undefined || holder.deviceId === deviceId));
  }

  async sendToUser(userId: string, choice: Choice, prepared: Prepared): Promise<DeliveryReport> {
    const { sessions, direct } = this.#parts;
    const holders = await this.#elsewhere(userId);
    const there = new Map(holders.map((holder) => [holder.deviceId, holder]));
    const targets: Target[] = sessions.ofUser(userId).map(targetOf);
    for (const deviceId of there.keys()) targets.push({ deviceId, connection: undefined });
    const meant = chosen(targets, choice);
    const remote = byInstance(meant.flatMap(({ deviceId }) => there.get(deviceId) ?? []));
    const here = direct.deliver(
      meant.filter(({ deviceId }) => !there.has(deviceId)),
      prepared,
    );
    const reports = [...remote].map(([instance, some]) => {
      const deviceIds = some.map(({ deviceId }) => deviceId);
      return this.#deliver(instance, deviceIds, { userId, deviceIds }, prepared);
    });
    return merged(await Promise.all([here, ...reports]));
  }

  async sendToSession(sessionId: string, prepared: Prepared): Promise<DeliveryReport> {
    const { id, direct } = this.#parts;
    const others = [...(await this.#parts.instances())].filter((instance) => instance !== id);
    const reports = await Promise.all(
      others.map((instance) => this.#deliver(instance, [sessionId], { sessionId }, prepared)),
    );
    // This call counts the event, whichever instance delivers it. Its report is the result if no
    // instance has the session.
    const nowhere = await direct.deliver([{ deviceId: sessionId, connection: undefined }], prepared);
    const told = reports.filter(({ delivered, failed }) => delivered.length + failed.length > 0);
    // A silent instance may have the session, so its report counts only if no other instance has
    // answered.
    const isSilent = ({ failed }: DeliveryReport): boolean =>
      failed.some(({ deviceId, reason }) => deviceId === sessionId && reason === "timeout");
    return told.find((report) => !isSilent(report)) ?? told[0] ?? nowhere;
  }

  /** Delivers an event for another instance. Null means that the session is not here. */
  answerDeliver({ userId, deviceIds, sessionId, frame, ackId, timeoutMs }: Deliver): Promise<DeliveryReport> | null {
    const { sessions, direct } = this.#parts;
    const prepared = { frame: new Frame(frame), ackId, timeoutMs };
    if (sessionId !== undefined) {
      const session = sessions.get(sessionId);
      return session ? direct.deliver([targetOf(session)], prepared, false) : null;
    }
    const targets = (deviceIds ?? []).map((deviceId): Target => {
      const session = userId === undefined ? undefined : sessions.device(userId, deviceId);
      return { deviceId, connection: session?.connection };
    });
    return direct.deliver(targets, prepared, false);
  }

  answerDevices(userId: string) {
    const now = this.#parts.environment.monotonic();
    const here = this.#parts.sessions.ofUser(userId).filter(({ isConnected }) => isConnected);
    return here.map(({ id, lastHeardAt }) => ({ sessionId: id, silentMs: now - lastHeardAt }));
  }

  /**
   * The devices that other instances hold. A device that has just connected here belongs to this
   * instance, even if the table does not say so yet.
   */
  async #elsewhere(userId: string): Promise<DeviceHolder[]> {
    const { id, sessions, tables } = this.#parts;
    const { holders } = await tables.read(userId);
    return holders.filter(({ instance, deviceId }) => instance !== id && !sessions.device(userId, deviceId));
  }

  /**
   * Asks another instance to deliver an event. If the instance does not answer, the report lists
   * the devices as `timeout`. If the instance is gone, the report lists the devices as
   * `disconnected`, or is empty for an event to a session.
   */
  async #deliver(
    instance: string,
    deviceIds: readonly string[],
    to: Pick<Deliver, "userId" | "deviceIds" | "sessionId">,
    { frame, ackId, timeoutMs }: Prepared,
  ): Promise<DeliveryReport> {
    const waitMs = ackId === undefined ? ANSWER_MS : timeoutMs;
    const acksMs = Math.max(1, waitMs - Math.min(MARGIN_MS, waitMs / 4));
    const question: Deliver = { kind: "deliver", ...to, frame: frame.text, ackId, timeoutMs: acksMs };
    const asked = await this.#parts.rpc.ask(instance, question, waitMs);
    const report = asked.kind === "answer" ? readReport(asked.answer) : undefined;
    if (report !== undefined) return report ?? { delivered: [], failed: [] };
    // If an instance is gone, all connections to that instance are closed. A silent instance may
    // still have connections.
    const isGone = asked.kind === "gone" || !(await this.#parts.instances().catch(() => undefined))?.has(instance);
    if (isGone && to.sessionId !== undefined) return { delivered: [], failed: [] };
    const reason = isGone ? "disconnected" : "timeout";
    return { delivered: [], failed: deviceIds.map((deviceId) => ({ deviceId, reason })) };
  }
}

function byInstance(holders: readonly DeviceHolder[]): Map<string, DeviceHolder[]> {
  const some = new Map<string, DeviceHolder[]>();
  for (const holder of holders) {
    const others = some.get(holder.instance);
    if (others) others.push(holder);
    else some.set(holder.instance, [holder]);
  }
  return some;
}

function merged(reports: readonly DeliveryReport[]): DeliveryReport {
  return {
    delivered: reports.flatMap(({ delivered }) => delivered),
    failed: reports.flatMap(({ failed }) => failed),
  };
}
