import * as z from "zod/mini";

const position = z.object({ epoch: z.string(), offset: z.number(), id: z.string() });

/** Why an instance ends a session of another one. */
const why = z.enum(["replaced", "moved", "evicted", "refused"]);
export type Why = z.output<typeof why>;

/** What one instance asks another. */
const question = z.discriminatedUnion("kind", [
  /**
   * A session has to leave for one that was claimed later, up to this position of its user's table.
   * Answered: whether that is settled.
   */
  z.object({
    kind: z.literal("end"),
    userId: z.string(),
    deviceId: z.string(),
    sessionId: z.string(),
    why,
    position,
  }),
  /**
   * A direct event for these devices of a user, or for one session. Answered with a report, or null
   * where the session is not there.
   */
  z.object({
    kind: z.literal("deliver"),
    userId: z.optional(z.string()),
    deviceIds: z.optional(z.array(z.string())),
    sessionId: z.optional(z.string()),
    frame: z.string(),
    ackId: z.optional(z.string()),
    timeoutMs: z.number(),
  }),
  /** The devices of a user that are connected there. */
  z.object({ kind: z.literal("devices"), userId: z.string() }),
]);
export type Question = z.output<typeof question>;

/** Undefined for what is no question of ours: an instance of a newer version asks more. */
export function readQuestion(value: unknown): Question | undefined {
  return question.safeParse(value).data;
}

const report = z.nullable(
  z.object({
    delivered: z.array(z.string()),
    failed: z.array(
      z.object({
        deviceId: z.string(),
        reason: z.enum(["not_connected", "disconnected", "timeout", "not_handled", "invalid", "handler_failed"]),
      }),
    ),
  }),
);

/** Null: there is no such session there. Undefined for what is no report. */
export function readReport(value: unknown): z.output<typeof report> | undefined {
  return report.safeParse(value).data;
}

/**
 * `silentMs`: how long ago something was last heard. A date would be by the wall clock of another
 * machine.
 */
const devices = z.array(z.object({ sessionId: z.string(), silentMs: z.number() }));
export type DeviceTimes = z.output<typeof devices>;

export function readDevices(value: unknown): DeviceTimes {
  return devices.safeParse(value).data ?? [];
}

/** What every instance has to do, and what it counts towards the result. */
const order = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("end_user"),
    userId: z.string(),
    code: z.number(),
    reason: z.string(),
    where: z.optional(z.unknown()),
  }),
  z.object({ kind: z.literal("end_session"), sessionId: z.string(), code: z.number(), reason: z.string() }),
  z.object({ kind: z.literal("reauthorize"), userId: z.string() }),
]);
export type Order = z.output<typeof order>;

/** `by`: the instance that gave it; `at`: when, by the clock of that one. */
const issued = z.object({ by: z.string(), at: z.number(), order });

export function readOrder(body: string): z.output<typeof issued> | undefined {
  try {
    return issued.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

/** What a field of a user's table says: who has the device. */
const holder = z.object({
  instance: z.string(),
  sessionId: z.string(),
  /** When the session began. */
  connectedAt: z.number(),
  /** When the connection came for which the device was claimed. */
  claimedAt: z.number(),
  /** Whether it has a connection, or waits to be resumed. */
  connected: z.boolean(),
});

export interface DeviceHolder extends z.output<typeof holder> {
  readonly deviceId: string;
}

export function readHolder(deviceId: string, text: string | undefined): DeviceHolder | undefined {
  if (text === undefined) return undefined;
  try {
    const { data } = holder.safeParse(JSON.parse(text));
    return data && { ...data, deviceId };
  } catch {
    return undefined;
  }
}
