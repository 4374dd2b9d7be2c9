import type { DeliveryReport } from "@holdfast/server";
import type { DeviceList } from "./device-list.js";
import type { Playback } from "./playback.js";
import type { Outcome } from "./protocol.js";
import { deviceOf, type DeviceSession, type Realtime } from "./realtime.js";
import { findTrack } from "./tracks.js";

export interface SteeringOptions {
  server: Realtime;
  list: DeviceList;
  playback: Playback;
  /** How long a device may take to follow a command. @default 2000 */
  ackTimeoutMs?: number;
}

/**
 * Commands between the devices of one user. A command cannot name a device of another user, because
 * all devices are looked up below the caller's user.
 */
export function steerDevices({ server, list, playback, ackTimeoutMs = 2_000 }: SteeringOptions): void {
  // With `ack`, a device counts as having followed a command when its handler has finished, not
  // when the bytes were written to a socket.
  const acked = { ack: true, timeoutMs: ackTimeoutMs } as const;
  const callerOf = (session: DeviceSession) => ({ deviceId: deviceOf(session), name: session.data.name });

  server.handle("device.list", ({ session }) => list.overview(session.identity.userId));

  server.handle("device.rename", ({ input, session }) => {
    session.data.name = input.name;
    list.publish(session.identity.userId);
  });

  server.handle("playback.play", async ({ input, session, error }) => {
    const { trackId, positionMs } = input;
    if (!findTrack(trackId)) throw error("UNKNOWN_TRACK", { trackId });
    const { userId } = session.identity;
    const by = callerOf(session);
    const others = list.sessions(userId).filter((other) => deviceOf(other) !== by.deviceId);

    playback.start(userId, { deviceId: by.deviceId, trackId, positionMs });
    const asked = server
      .user(userId)
      .send("playback.paused", { by, reason: "elsewhere" }, { exceptDevice: by.deviceId, ...acked });
    list.publish(userId);
    return { report: outcomes(others, await asked) };
  });

  server.handle("playback.pause", ({ session }) => {
    const { userId } = session.identity;
    if (playback.stop(userId, deviceOf(session))) list.publish(userId);
  });

  server.handle("playback.pauseOn", async ({ input, session, error }) => {
    const { userId } = session.identity;
    const { deviceId } = input;
    const target = list.find(userId, deviceId);
    if (!target) throw error("UNKNOWN_DEVICE", { deviceId });
    const report = await server
      .user(userId)
      .send("playback.paused", { by: callerOf(session), reason: "asked" }, { onlyDevice: deviceId, ...acked });
    if (report.delivered.includes(deviceId) && playback.stop(userId, deviceId)) list.publish(userId);
    return { report: outcomes([target], report) };
  });

  server.handle("playback.playOn", async ({ input, session, error }) => {
    const { userId } = session.identity;
    const { deviceId, trackId, positionMs } = input;
    if (!findTrack(trackId)) throw error("UNKNOWN_TRACK", { trackId });
    const target = list.find(userId, deviceId);
    if (!target) throw error("UNKNOWN_DEVICE", { deviceId });
    // The device plays, and then reports that with `playback.play`, as if its own button had been
    // pressed.
    const report = await server
      .user(userId)
      .send("playback.started", { by: callerOf(session), trackId, positionMs }, { onlyDevice: deviceId, ...acked });
    return { report: outcomes([target], report) };
  });
}

/**
 * Returns the result for each device, with its name, in the order of the list. Offline devices are
 * included.
 */
function outcomes(meant: readonly DeviceSession[], { failed }: DeliveryReport): Outcome[] {
  return meant.map((session) => {
    const deviceId = deviceOf(session);
    const failure = failed.find((one) => one.deviceId === deviceId);
    return { deviceId, name: session.data.name, result: failure?.reason ?? "confirmed" };
  });
}
