import { HoldfastError } from "@holdfast/protocol";

/**
 * Creates the error that every call of the broker rejects with. If the publication may have been
 * stored nevertheless, `sentence` must say so.
 */
export function unavailable(sentence: string, remedy?: string, cause?: unknown): HoldfastError {
  return new HoldfastError("UNAVAILABLE", sentence, {
    ...(remedy !== undefined && { remedy }),
    ...(cause !== undefined && { cause }),
  });
}

export const MAYBE = "A publication in flight may have been stored: publish it again with the same idempotency key.";

/** Remedies, by the first word of an error reply of Redis. */
const refusals = new Map<string, string>([
  ["READONLY", "This Redis is a replica. Connect to the primary, or through Sentinel."],
  ["NOREPLICAS", "Fewer replicas are connected than `min-replicas-to-write` requires. Restart the missing replicas."],
  ["OOM", "Redis has reached its memory limit. Raise `maxmemory`, and keep `maxmemory-policy noeviction`."],
  ["MISCONF", "Redis cannot write its snapshot to disk. Check the log of Redis and the free disk space."],
  ["LOADING", "Redis is loading its data. Try again in a few seconds."],
  ["BUSY", "A script of another program blocks Redis. Stop the script with SCRIPT KILL."],
  ["MASTERDOWN", "This Redis is a replica that has lost its primary. Connect to the primary."],
  ["CLUSTERDOWN", "The cluster does not serve all slots. Check CLUSTER INFO, and restore the missing nodes."],
  ["MOVED", "This Redis is part of a cluster. Pass `client: new Cluster(...)` of ioredis instead of `url`."],
  ["CROSSSLOT", "This Redis is part of a cluster. Pass `client: new Cluster(...)` of ioredis instead of `url`."],
  ["NOAUTH", "Redis requires a password. Add the password to `url`, or to the options of `client`."],
  ["WRONGPASS", "Correct the user name and password in `url`, or in the options of `client`."],
  ["NOPERM", "This Redis user lacks a permission. Grant the permissions listed in the documentation of redisBroker."],
  ["WRONGTYPE", "Another program uses Redis keys with this prefix. Choose another `prefix`, or delete those keys."],
]);

/**
 * Turns an error of ioredis or of Redis into the UNAVAILABLE error that the broker rejects with.
 */
export function refusal(error: unknown): HoldfastError {
  const text = error instanceof Error ? error.message : String(error);
  const word = wordOf(error);
  // ioredis attaches the command with its arguments to the error. The arguments contain the
  // published event, which must not end up in a log.
  if (error instanceof Error) Reflect.deleteProperty(error, "command");
  if (word) {
    const remedy = refusals.get(word) ?? "Check the log of Redis.";
    return unavailable(`Redis refused the command: ${text.slice(0, 200)}.`, remedy, error);
  }
  return unavailable(`The connection to Redis was lost before Redis answered. ${MAYBE}`, undefined, error);
}

/**
 * The first word of an error reply of Redis, such as `MOVED`. Undefined if Redis did not send the
 * error.
 */
export function wordOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // Some versions of Redis wrap the errors of scripts: "ERR WRONGTYPE Operation ... script: ...",
  // "-READONLY ...".
  const match = /^(?:ERR )?-?([A-Z]{2,})\b/.exec(error.message);
  return match && error.name === "ReplyError" ? match[1] : undefined;
}
