import { HoldfastError } from "@holdfast/protocol";

/** Everything the broker refuses. `may have been stored` is said where it may. */
export function unavailable(sentence: string, remedy?: string, cause?: unknown): HoldfastError {
  return new HoldfastError("UNAVAILABLE", sentence, {
    ...(remedy !== undefined && { remedy }),
    ...(cause !== undefined && { cause }),
  });
}

export const MAYBE = "It may or may not have been stored: repeat it with the same key.";

/** What Redis says, by its first word, and what to do about it. */
const refusals = new Map<string, string>([
  ["READONLY", "This Redis is a replica: connect to the primary, or through Sentinel."],
  ["NOREPLICAS", "Too few replicas are connected (min-replicas-to-write): bring them back."],
  ["OOM", "Redis has reached maxmemory: give it more, and keep maxmemory-policy at noeviction."],
  ["MISCONF", "Redis cannot write its snapshot: look at its log and its disk."],
  ["LOADING", "Redis is loading its data: try again in a moment."],
  ["BUSY", "A script of somebody else blocks Redis: SCRIPT KILL ends it."],
  ["MASTERDOWN", "This Redis is a replica without its primary: connect to the primary."],
  ["CLUSTERDOWN", "The cluster does not serve all slots: look at CLUSTER INFO."],
  ["MOVED", "This Redis is part of a cluster: pass `client: new Cluster(...)` of ioredis instead of a url."],
  ["CROSSSLOT", "This Redis is part of a cluster: pass `client: new Cluster(...)` of ioredis instead of a url."],
  ["NOAUTH", "Redis wants a password: put it into the url or the client's options."],
  ["WRONGPASS", "Correct the user name or the password of the url or the client's options."],
  ["NOPERM", "The ACL of this user is too narrow: see what the documentation of redisBroker lists."],
  ["WRONGTYPE", "Something else uses keys with this prefix: choose another `prefix`, or delete them."],
]);

/** An error of the client library or of Redis, as what the broker refuses with. */
export function refusal(error: unknown): HoldfastError {
  const text = error instanceof Error ? error.message : String(error);
  const word = wordOf(error);
  // ioredis adds the command and what it was called with: an event does not belong into whoever's
  // log.
  if (error instanceof Error) Reflect.deleteProperty(error, "command");
  if (word) {
    const remedy = refusals.get(word) ?? "Look at the log of Redis.";
    return unavailable(`Redis refused: ${text.slice(0, 200)}.`, remedy, error);
  }
  return unavailable(`The connection to Redis was lost before it answered. ${MAYBE}`, undefined, error);
}

/**
 * The first word of what Redis itself answered with; undefined for an error that it did not send.
 */
export function wordOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // Errors of scripts come wrapped in some versions: "ERR WRONGTYPE Operation ... script: ...",
  // "-READONLY ...".
  const match = /^(?:ERR )?-?([A-Z]{2,})\b/.exec(error.message);
  return match && error.name === "ReplyError" ? match[1] : undefined;
}
