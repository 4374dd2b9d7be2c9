import type { ChannelId } from "@holdfast/protocol";
import { checkOptions, optionError } from "../call-options.js";

export interface PublishOptions {
  /**
   * Makes the call safe to repeat: 1 to 128 characters that name this publication. If an event with
   * the same key was published on the channel within the last 10 minutes, on any instance, nothing
   * is published and the call resolves with the offset and id of the first event. Only for channels
   * with history.
   * @default none: each call publishes
   */
  readonly idempotencyKey?: string | undefined;
}

/**
 * Checks the options of `publish`. A misspelt option, or a key on a channel without history, would
 * have no effect, and a repeated call would publish twice.
 *
 * @throws HoldfastError INVALID_OPTION; `field` names the option
 */
export function idempotencyKeyOf(options: PublishOptions, { wire, contract }: ChannelId): string | undefined {
  checkOptions("publish", options, ["idempotencyKey"]);
  const { idempotencyKey: key } = options;
  if (key === undefined) return undefined;
  if (typeof key !== "string" || key === "" || key.length > 128)
    throw optionError("publish", "idempotencyKey", "expected a string of 1 to 128 characters");
  if (contract.history) return key;
  const remedy = "Declare `history` for the channel, or leave the key out.";
  throw optionError("publish", "idempotencyKey", `the channel ${wire} has no history, which the key requires`, remedy);
}
