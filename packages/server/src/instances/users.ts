import type { ServerEnvironment } from "../environment.js";
import { chosen, type Choice, type Device, deviceOf } from "../session/device.js";
import { type DeliveryReport, type DirectEvents, type Prepared, type Target, targetOf } from "../session/direct.js";
import type { RemoteUsers } from "../session/remote-instances.js";
import type { Sessions } from "../session/sessions.js";
import { Frame } from "../transport/frame.js";
import type { DeviceTables } from "./device-tables.js";
import type { InstanceRpc } from "./instance-rpc.js";
import { type DeviceHolder, type Question, readDevices, readReport } from "./instance-messages.js";

/** How long another instance may take for what it knows at once. */
const ANSWER_MS = 1_000;
/**
 * Acks are waited for by this much less where they are waited for than where the event comes from,
 * or their report is too late.
 */
const MARGIN_MS = 500;

type Deliver = Question & { kind: "deliver" };

export interface UsersParts {
  /** Of this instance. */
  readonly id: string;
  readonly environment: ServerEnvironment;
  readonly sessions: Sessions;
  readonly direct: DirectEvents;
  readonly tables: DeviceTables;
  readonly rpc: InstanceRpc;
  instances(): Promise<ReadonlySet<string>>;
}

/** The devices of users on whatever instance: who they are, and what is sent to them. */
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
    // It is counted here, wherever it was delivered; and where nobody has it this is the report.
    const nowhere = await direct.deliver([{ deviceId: sessionId, connection: undefined }], prepared);
    const told = reports.filter(({ delivered, failed }) => delivered.length + failed.length > 0);
    // An instance that says nothing may be the one that has it, unless another one does.
    const isSilent = ({ failed }: DeliveryReport): boolean =>
      failed.some(({ deviceId, reason }) => deviceId === sessionId && reason === "timeout");
    return told.find((report) => !isSilent(report)) ?? told[0] ?? nowhere;
  }

  /** Another instance asks for it. Null: the session is not here. */
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
   * Devices that other instances have. One that was claimed here a moment ago is here, whatever the
   * table still says.
   */
  async #elsewhere(userId: string): Promise<DeviceHolder[]> {
    const { id, sessions, tables } = this.#parts;
    const { holders } = await tables.read(userId);
    return holders.filter(({ instance, deviceId }) => instance !== id && !sessions.device(userId, deviceId));
  }

  /** What became of it there, or why that is not known. */
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
    // One that is gone has taken its connections along; of one that is silent nothing is known.
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
