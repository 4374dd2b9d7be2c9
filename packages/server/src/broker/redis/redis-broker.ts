import { HoldfastError } from "@holdfast/protocol";
import { type Cluster, Redis } from "ioredis";
import type { Broker } from "../broker.js";
import { RedisLink } from "./redis-link.js";
import { clusterTopology, type MakeTopology, singleTopology } from "./topology.js";

export interface RedisBrokerOptions {
  /**
   * Where Redis is: `redis://user:password@host:6379/0`, or `rediss://` for TLS. Either this or
   * `client`.
   */
  readonly url?: string;
  /**
   * A client of ioredis with everything that it takes to connect: TLS, Sentinel, or a `Cluster`. It
   * serves as a pattern only: the broker makes connections of its own like it, and neither uses nor
   * closes it.
   */
  readonly client?: Redis | Cluster;
  /**
   * What the names of keys and of pub/sub channels begin with. Servers with different ones do not
   * see each other. @default "holdfast"
   */
  readonly prefix?: string;
}

const known = ["url", "client", "prefix"] satisfies (keyof RedisBrokerOptions)[];

/** @throws HoldfastError INVALID_OPTION, naming the option */
export function redisBroker(options: RedisBrokerOptions): Broker {
  if (typeof options !== "object" || options === null) invalid("options", "expected an object");
  for (const name of Object.keys(options))
    if (!(known as string[]).includes(name)) invalid(name, `is not an option; there are ${known.join(", ")}`);
  const { url, client, prefix = "holdfast" } = options;
  if (typeof prefix !== "string" || !/^[\x21-\x7a|~]{1,64}$/.test(prefix))
    invalid("prefix", "expected 1 to 64 printable ASCII characters, without spaces and braces");
  if ((url === undefined) === (client === undefined)) invalid("url", "expected either `url` or `client`");
  const makeTopology = topologyLike(url === undefined ? checkedClient(client) : clientOf(url));
  return {
    // No protocol has a colon in its name, so no two of them share a topic.
    join: (instance) => new RedisLink(instance, `${prefix}:${instance.protocol}`, makeTopology),
  };
}

function topologyLike(template: Redis | Cluster): MakeTopology {
  if (template.isCluster) return (environment, onChange) => clusterTopology(template as Cluster, environment, onChange);
  return () => singleTopology(template as Redis);
}

/**
 * By what it can do rather than by its class: the application may have another copy of the package.
 */
function checkedClient(client: unknown): Redis | Cluster {
  const fits =
    typeof client === "object" &&
    client !== null &&
    "duplicate" in client &&
    "options" in client &&
    "isCluster" in client;
  if (!fits) invalid("client", "expected a Redis or a Cluster of ioredis");
  return client as unknown as Redis | Cluster;
}

function clientOf(url: string): Redis {
  let scheme: string;
  try {
    scheme = new URL(url).protocol;
  } catch {
    // The url may hold a password, and so is not repeated.
    return invalid("url", "is not a URL; expected something like redis://localhost:6379");
  }
  if (scheme !== "redis:" && scheme !== "rediss:") invalid("url", "expected redis:// or rediss://");
  // Never connected: it only holds what the url says.
  return new Redis(url, { lazyConnect: true });
}

function invalid(name: string, sentence: string): never {
  throw new HoldfastError("INVALID_OPTION", `redisBroker: ${name}: ${sentence}.`, { field: name });
}
