import type { Playing } from "../protocol.js";

/** What this device has to do so that it and the server's list say the same. */
export type Step = "pause" | "resume" | "claim" | "release" | "nothing";

/**
 * Who plays is a fact of the user, not of a device, and the server holds it. A `playback.paused`
 * that was missed (no connection, a page that was being loaded) is made up for here, with every
 * list that comes:
 *
 *   this device | the list says | so it
 *   ------------|---------------|-------------------------------------------------------------------------
 *   plays       | another plays | pauses: playback went there while this device did not hear of it
 *   plays       | nothing plays | claims it: the server was restarted and has forgotten
 *   is paused   | it plays      | resumes, when its page was loaded just now; else says that it has paused
 *
 * A claim under way is not disturbed: lists that were sent before it say nothing about it.
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
