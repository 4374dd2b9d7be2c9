import { defineProtocol } from "@holdfast/protocol";
import * as z from "zod/mini";

/**
 * The only file that both sides import, and the source of the generated reference. It uses zod/mini
 * and not zod, because the page downloads it: the same schemas in a quarter of the bytes.
 */

export const NAME_LENGTH = 40;

const deviceId = z
  .string()
  .check(
    z.minLength(1),
    z.maxLength(64),
    z.meta({ description: "Names a device: a tab, for as long as it lives.", examples: ["3f6c1f0a"] }),
  );
const deviceName = z.string().check(
  z.trim(),
  z.minLength(1),
  z.maxLength(NAME_LENGTH),
  z.meta({
    description: "What people call the device.",
    examples: ["Chrome on Linux"],
  }),
);
const deviceKind = z.enum(["computer", "tablet", "phone"]).check(z.describe("Which picture is shown for it."));
export type DeviceKind = z.output<typeof deviceKind>;

const trackId = z
  .string()
  .check(z.maxLength(64), z.meta({ description: "A track of src/tracks.ts.", examples: ["harbour-lights"] }));
const positionMs = z
  .int()
  .check(z.nonnegative(), z.meta({ description: "How far into the track.", examples: [84_000] }));

const device = z.object({
  id: deviceId,
  name: deviceName,
  kind: deviceKind,
  browser: z
    .string()
    .check(z.describe("The login it came by: devices of one browser share it, and are signed out together.")),
  online: z.boolean().check(z.describe("False: its connection ended just now, and it may come back.")),
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
        "Of two of one server the higher is the newer: an answer may be sent behind a change that came after it.",
      ),
    ),
  devices: z.array(device).check(z.describe("Connected ones, and those that were until just now; oldest first.")),
  playing: z.optional(playing).check(z.describe("What plays, and where. Absent: nothing does.")),
});
export type Overview = z.output<typeof overview>;

const outcome = z.object({
  deviceId,
  name: deviceName,
  result: z
    .enum(["confirmed", "not_connected", "disconnected", "timeout", "not_handled", "invalid", "handler_failed"])
    .check(
      z.describe("confirmed: the device has done it and said so. Everything else is why it is not known to have."),
    ),
});
export type Outcome = z.output<typeof outcome>;
const report = z.object({ report: z.array(outcome).check(z.describe("One entry for each device that was told.")) });

/** The acting device, shown on the device that receives the command. */
const by = z.object({ deviceId, name: deviceName });

const UNKNOWN_DEVICE = z.object({ deviceId });
const UNKNOWN_TRACK = z.object({ trackId });

export const devices = defineProtocol({
  name: "devices",
  version: "1.0.0",
  description:
    "A player on all devices of a user: what starts on one is paused on the others, and each can steer each.",
  deviceId: "required",
  parameters: z.object({ deviceName, deviceKind }),

  requests: {
    "device.list": {
      kind: "query",
      description: "The caller's devices and what plays on them; the channel devices continues it.",
      output: overview,
    },
    "device.rename": {
      kind: "mutation",
      description: "Gives the calling device another name.",
      input: z.object({ name: deviceName }),
    },
    "device.signOut": {
      kind: "mutation",
      description: "Ends the login of a device: it, and every other tab of its browser, has to log in again.",
      input: z.object({ deviceId }),
      output: z.object({ ended: z.int().check(z.describe("How many devices that were.")) }),
      errors: { UNKNOWN_DEVICE },
    },
    "playback.play": {
      kind: "mutation",
      description: "This device plays now. The others are paused; answered when each has said so, or has not in time.",
      input: z.object({ trackId, positionMs }),
      output: report,
      errors: { UNKNOWN_TRACK },
    },
    "playback.pause": {
      kind: "mutation",
      description: "This device does not play any more.",
    },
    "playback.pauseOn": {
      kind: "mutation",
      description: "Pauses one device, whichever it is.",
      input: z.object({ deviceId }),
      output: report,
      errors: { UNKNOWN_DEVICE },
    },
    "playback.playOn": {
      kind: "mutation",
      description: "Has one device play; it then pauses the others.",
      input: z.object({ deviceId, trackId, positionMs }),
      output: report,
      errors: { UNKNOWN_DEVICE, UNKNOWN_TRACK },
    },
  },

  channels: {
    devices: {
      description: "The devices of one user, by the user's id; nobody else can join it.",
      key: z.string().check(z.minLength(1), z.maxLength(64), z.meta({ examples: ["ada"] })),
      events: { changed: overview },
    },
  },

  direct: {
    "playback.paused": z.object({
      by,
      reason: z.enum(["elsewhere", "asked"]).check(z.describe("elsewhere: that device plays now.")),
    }),
    "playback.started": z.object({ by, trackId, positionMs }),
    "device.signedOut": z.object({ by }).check(z.describe("The connection ends right behind it.")),
  },
});
