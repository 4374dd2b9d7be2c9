import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod/mini";

/**
 * The only file that both sides import, and the source of the generated reference. The page
 * downloads this file, so the file uses zod/mini and not zod: the same schemas take a quarter of
 * the bytes.
 */

export const NAME_LENGTH = 40;

const deviceId = z
  .string()
  .check(
    z.minLength(1),
    z.maxLength(64),
    z.meta({ description: "The id of a device. Each tab is a device until it is closed.", examples: ["3f6c1f0a"] }),
  );
const deviceName = z.string().check(
  z.trim(),
  z.minLength(1),
  z.maxLength(NAME_LENGTH),
  z.meta({
    description: "The name of the device for people.",
    examples: ["Chrome on Linux"],
  }),
);
const deviceKind = z.enum(["computer", "tablet", "phone"]).check(z.describe("The icon of the device."));
export type DeviceKind = z.output<typeof deviceKind>;

const trackId = z
  .string()
  .check(z.maxLength(64), z.meta({ description: "A track of src/tracks.ts.", examples: ["harbour-lights"] }));
const positionMs = z
  .int()
  .check(z.nonnegative(), z.meta({ description: "The position within the track.", examples: [84_000] }));

const device = z.object({
  id: deviceId,
  name: deviceName,
  kind: deviceKind,
  browser: z
    .string()
    .check(z.describe("The login of the device. Devices of one browser share the login and are signed out together.")),
  online: z.boolean().check(z.describe("False if the device has just disconnected and may return.")),
  connectedAt: z.date(),
  lastActiveAt: z.date(),
});
export type Device = z.output<typeof device>;

const playing = z.object({ deviceId, trackId, positionMs });
export type Playing = z.output<typeof playing>;

const overview = z.object({
  revision: z
    .int()
    .check(
      z.describe(
        "Of two lists of one server process, the list with the higher number is newer. An answer may arrive after a later change.",
      ),
    ),
  devices: z.array(device).check(z.describe("Connected and recently disconnected devices, oldest first.")),
  playing: z.optional(playing).check(z.describe("The playing track and its device. Absent if nothing plays.")),
});
export type Overview = z.output<typeof overview>;

const outcome = z.object({
  deviceId,
  name: deviceName,
  result: z
    .enum(["confirmed", "not_connected", "disconnected", "timeout", "not_handled", "invalid", "handler_failed"])
    .check(
      z.describe(
        "confirmed: the device has confirmed the command. Every other value is the reason why the device has not.",
      ),
    ),
});
export type Outcome = z.output<typeof outcome>;
const report = z.object({
  report: z.array(outcome).check(z.describe("One entry for each device that the command was meant for.")),
});

/** The acting device, shown on the device that receives the command. */
const by = z.object({ deviceId, name: deviceName });

const UNKNOWN_DEVICE = z.object({ deviceId });
const UNKNOWN_TRACK = z.object({ trackId });

export const devices = defineProtocol({
  name: "devices",
  version: "1.0.0",
  description:
    "A player on all devices of a user: playback on one device pauses the other devices, and each device can control the others.",
  deviceId: "required",
  parameters: z.object({ deviceName, deviceKind }),

  requests: {
    "device.list": {
      kind: "query",
      description: "The caller's devices and their playback. The channel devices carries the lists that follow.",
      output: overview,
    },
    "device.rename": {
      kind: "mutation",
      description: "Renames the calling device.",
      input: z.object({ name: deviceName }),
    },
    "device.signOut": {
      kind: "mutation",
      description: "Ends the login of a device. All tabs of its browser must log in again.",
      input: z.object({ deviceId }),
      output: z.object({ ended: z.int().check(z.describe("The number of signed-out devices.")) }),
      errors: { UNKNOWN_DEVICE },
    },
    "playback.play": {
      kind: "mutation",
      description:
        "Reports that this device plays. The server pauses the other devices, and answers when each device has confirmed or its time is over.",
      input: z.object({ trackId, positionMs }),
      output: report,
      errors: { UNKNOWN_TRACK },
    },
    "playback.pause": {
      kind: "mutation",
      description: "Reports that this device no longer plays.",
    },
    "playback.pauseOn": {
      kind: "mutation",
      description: "Pauses one device.",
      input: z.object({ deviceId }),
      output: report,
      errors: { UNKNOWN_DEVICE },
    },
    "playback.playOn": {
      kind: "mutation",
      description: "Starts playback on one device. That device then sends playback.play, which pauses the others.",
      input: z.object({ deviceId, trackId, positionMs }),
      output: report,
      errors: { UNKNOWN_DEVICE, UNKNOWN_TRACK },
    },
  },

  channels: {
    devices: {
      description: "The devices of one user, by user id. Only that user can join.",
      key: z.string().check(z.minLength(1), z.maxLength(64), z.meta({ examples: ["ada"] })),
      events: { changed: overview },
    },
  },

  direct: {
    "playback.paused": z.object({
      by,
      reason: z
        .enum(["elsewhere", "asked"])
        .check(
          z.describe("elsewhere: the acting device plays now. asked: the acting device only asked for the pause."),
        ),
    }),
    "playback.started": z.object({ by, trackId, positionMs }),
    "device.signedOut": z.object({ by }).check(z.describe("The connection closes directly after this event.")),
  },
});
