import type { Playing } from "../protocol.js";

/** The action that makes this device agree with the server's list. */
export type Step = "pause" | "resume" | "claim" | "release" | "nothing";

/**
 * The server stores which device of a user plays. If this device misses a `playback.paused`,
 * because the connection was lost or the page was loading, the next list from the server corrects
 * the device:
 *
 *   this device | the list says | action of this device
 *   ------------|---------------|-------------------------------------------------------------------------
 *   plays       | another plays | pauses: playback moved there while this device was disconnected
 *   plays       | nothing plays | claims playback: the server was restarted and has forgotten it
 *   is paused   | it plays      | resumes if its page was just loaded; otherwise reports that it has paused
 *
 * While a claim is in flight nothing happens, because earlier lists do not contain the claim.
 */
export function agree(
  own: { readonly deviceId: string; readonly playing: boolean; readonly claiming: boolean; readonly fresh: boolean },
  playing: Playing | undefined,
): Step {
  if (own.claiming) return "nothing";
  if (own.playing) {
    if (!playing) return "claim";
    return playing.deviceId === own.deviceId ? "nothing" : "pause";
  }
  if (playing?.deviceId !== own.deviceId) return "nothing";
  return own.fresh ? "resume" : "release";
}
