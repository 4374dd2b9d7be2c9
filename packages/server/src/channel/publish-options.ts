import type { ChannelId } from "@holdfast/protocol";
import { checkOptions, optionError } from "../call-options.js";

export interface PublishOptions {
  /**
   * Names this publication, 1 to 128 characters: another one on the channel with the same key, on
   * whatever instance, within 10 minutes changes nothing and resolves with the place of the first.
   * Only on channels with history.
   * @default none: each call publishes
   */
  readonly idempotencyKey?: string | undefined;
}

/**
 * A misspelt key, or a key on a channel without history, would publish twice. @throws HoldfastError
 * INVALID_OPTION, naming the option
 */
export function idempotencyKeyOf(options: PublishOptions, { wire, contract }: ChannelId): string | undefined {
  checkOptions("publish", options, ["idempotencyKey"]);
  const { idempotencyKey: key } = options;
  if (key === undefined) return undefined;
  if (typeof key !== "string" || key === "" || key.length > 128)
    throw optionError("publish", "idempotencyKey", "expected a text of 1 to 128 characters");
  if (contract.history) return key;
  const remedy = "Declare `history` for the channel.";
  throw optionError("publish", "idempotencyKey", `${wire} keeps no history to find it in`, remedy);
}
