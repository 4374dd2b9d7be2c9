import * as z from "zod/mini";

const position = z.object({ epoch: z.string(), offset: z.number(), id: z.string() });

/** The reason for which one instance ends a session of another. */
const why = z.enum(["replaced", "moved", "evicted", "refused"]);
export type Why = z.output<typeof why>;

/** A question of one instance to another. */
const question = z.discriminatedUnion("kind", [
  /**
   * Asks an instance to end a session, because a newer claim or the limit of devices requires it.
   * `position` is the position of the user's table at that time. The answer is true if the session
   * has ended or need not end.
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
   * A direct event for the given devices of a user, or for one session. The answer is a report, or
   * null if the instance does not have the session.
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
  /** Asks for the user's devices that are connected to that instance. */
  z.object({ kind: z.literal("devices"), userId: z.string() }),
]);
export type Question = z.output<typeof question>;

/**
 * Returns undefined if the value is not a known question. An instance of a newer version may ask
 * more questions.
 */
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

/**
 * Returns null if the session is not on that instance, and undefined if the value is not a valid
 * report.
 */
export function readReport(value: unknown): z.output<typeof report> | undefined {
  return report.safeParse(value).data;
}

/**
 * `silentMs` is the time since the session was last heard from. A date would depend on the other
 * machine's wall clock.
 */
const devices = z.array(z.object({ sessionId: z.string(), silentMs: z.number() }));
export type DeviceTimes = z.output<typeof devices>;

export function readDevices(value: unknown): DeviceTimes {
  return devices.safeParse(value).data ?? [];
}

/** An order that every instance carries out. Each instance answers with a count. */
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

/**
 * `by` is the instance that issued the order. `at` is the time of issue by that instance's wall
 * clock, in milliseconds since 1970.
 */
const issued = z.object({ by: z.string(), at: z.number(), order });

export function readOrder(body: string): z.output<typeof issued> | undefined {
  try {
    return issued.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

/**
 * The value of one field in a user's device table: the instance and session that hold the device.
 */
const holder = z.object({
  instance: z.string(),
  sessionId: z.string(),
  /** The time at which the session began. Milliseconds since 1970. */
  connectedAt: z.number(),
  /**
   * The time at which the connection that claimed the device was opened or, if the session waits to
   * be resumed, the time of its last activity. Milliseconds since 1970.
   */
  claimedAt: z.number(),
  /** True if the session has a connection, false if it waits to be resumed. */
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
