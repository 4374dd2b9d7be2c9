import { HoldfastError } from "@holdfast/protocol";
import { type Cluster, Redis } from "ioredis";
import type { Broker } from "../broker.js";
import { RedisLink } from "./redis-link.js";
import { clusterTopology, type MakeTopology, singleTopology } from "./topology.js";

export interface RedisBrokerOptions {
  /**
   * The URL of Redis: `redis://user:password@host:6379/0`, or `rediss://` for TLS. Pass either
   * `url` or `client`.
   */
  readonly url?: string;
  /**
   * An ioredis client, or a `Cluster` of ioredis, with the options to connect, such as TLS or
   * Sentinel. The broker copies these options for connections of its own. The broker neither uses
   * nor closes the client itself.
   */
  readonly client?: Redis | Cluster;
  /**
   * Prefix of all Redis keys and pub/sub channels: 1 to 64 printable ASCII characters without
   * spaces or braces. Servers with different prefixes are separate, even on one Redis.
   * @default "holdfast"
   */
  readonly prefix?: string;
}

const known = ["url", "client", "prefix"] satisfies (keyof RedisBrokerOptions)[];

/**
 * Creates a broker that connects the instances of a server through Redis.
 *
 * @throws HoldfastError INVALID_OPTION; `field` names the option
 */
export function redisBroker(options: RedisBrokerOptions): Broker {
  if (typeof options !== "object" || options === null)
    invalid("options", 'expected an object, such as { url: "redis://localhost:6379" }');
  for (const name of Object.keys(options))
    if (!(known as string[]).includes(name)) invalid(name, `is not an option; the options are ${known.join(", ")}`);
  const { url, client, prefix = "holdfast" } = options;
  if (typeof prefix !== "string" || !/^[\x21-\x7a|~]{1,64}$/.test(prefix))
    invalid("prefix", "expected 1 to 64 printable ASCII characters without spaces and braces");
  if ((url === undefined) === (client === undefined)) invalid("url", "expected either `url` or `client`");
  const makeTopology = topologyLike(url === undefined ? checkedClient(client) : clientOf(url));
  return {
    // Names of protocols contain no colon, so the topics of two protocols never collide.
    join: (instance) => new RedisLink(instance, `${prefix}:${instance.protocol}`, makeTopology),
  };
}

function topologyLike(template: Redis | Cluster): MakeTopology {
  if (template.isCluster) return (environment, onChange) => clusterTopology(template as Cluster, environment, onChange);
  return () => singleTopology(template as Redis);
}

/**
 * Checks for members instead of the class, because the application may use another copy of ioredis.
 */
function checkedClient(client: unknown): Redis | Cluster {
  const fits =
    typeof client === "object" &&
    client !== null &&
    "duplicate" in client &&
    "options" in client &&
    "isCluster" in client;
  if (!fits) invalid("client", "expected a `Redis` or `Cluster` of ioredis");
  return client as unknown as Redis | Cluster;
}

function clientOf(url: string): Redis {
  let scheme: string;
  try {
    scheme = new URL(url).protocol;
  } catch {
    // The error does not repeat the URL, which may contain a password.
    return invalid("url", "is not a URL; expected a URL such as redis://localhost:6379");
  }
  if (scheme !== "redis:" && scheme !== "rediss:")
    invalid("url", "expected a URL that starts with redis:// or rediss://");
  // This client never connects. Its only purpose is to hold the parsed options.
  return new Redis(url, { lazyConnect: true });
}

function invalid(name: string, sentence: string): never {
  throw new HoldfastError("INVALID_OPTION", `redisBroker: ${name}: ${sentence}.`, { field: name });
}
