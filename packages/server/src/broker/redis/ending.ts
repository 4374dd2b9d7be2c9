import { type Redis, SentinelConnector } from "ioredis";

/** Closes the connection at once. A graceful close would wait for a peer that may be dead. */
export function endNow(client: Redis): void {
  client.disconnect();
  client.stream?.destroy();
}

/**
 * The method of ioredis's connector that connects to one Sentinel. The types of ioredis declare the
 * method private.
 */
interface Asking {
  connectToSentinel(endpoint: object, options?: object): Redis;
}

/**
 * Asks Sentinels for the primary, as ioredis does, and closes the connections to the Sentinels when
 * the connector disconnects. ioredis leaves these connections open, so a Sentinel that does not
 * answer would keep the process alive.
 */
export class BrokerSentinelConnector extends SentinelConnector {
  readonly #asked = new Set<Redis>();

  constructor(options: unknown) {
    super(options as ConstructorParameters<typeof SentinelConnector>[0]);
    const asking = this as unknown as Asking;
    const connect = asking.connectToSentinel.bind(this);
    asking.connectToSentinel = (endpoint, override) => {
      const client = connect(endpoint, { ...override, disconnectTimeout: 0 });
      this.#asked.add(client);
      client.once("end", () => this.#asked.delete(client));
      return client;
    };
  }

  override disconnect(): void {
    super.disconnect();
    for (const client of this.#asked) endNow(client);
  }
}
