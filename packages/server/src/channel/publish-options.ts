import { type ChannelId, HoldfastError } from "@holdfast/protocol";

export interface PublishOptions {
  /**
   * Names this publication, 1 to 128 characters: another one on the channel with the same key, on whatever instance, within 10
   * minutes changes nothing and resolves with the place of the first. Only on channels with history.
   * @default none: each call publishes
   */
  readonly idempotencyKey?: string | undefined;
}

/** A misspelt key, or one that nothing keeps, would publish twice. @throws HoldfastError INVALID_VALUE */
export function idempotencyKeyOf(
  { idempotencyKey: key, ...others }: PublishOptions,
  { wire, contract }: ChannelId,
): string | undefined {
  const wrong = (field: string, text: string, remedy?: string): never => {
    throw new HoldfastError("INVALID_VALUE", `publish: ${field}: ${text}.`, { field, remedy });
  };
  const [stranger] = Object.keys(others);
  if (stranger !== undefined) wrong(stranger, "is not an option");
  if (key === undefined) return undefined;
  if (typeof key !== "string" || key === "" || key.length > 128)
    wrong("idempotencyKey", "expected a text of 1 to 128 characters");
  if (!contract.history)
    wrong("idempotencyKey", `${wire} keeps no history to find it in`, "Declare `history` for the channel.");
  return key;
}
