import { type Redis, SentinelConnector } from "ioredis";

/** Ends it now: a polite end would wait for a peer that may be what does not answer. */
export function endNow(client: Redis): void {
  client.disconnect();
  client.stream?.destroy();
}

/** The part of the library's connector that asks one Sentinel. It is private in its types. */
interface Asking {
  connectToSentinel(endpoint: object, options?: object): Redis;
}

/**
 * Asks Sentinels where the primary is, as the library does, and ends its questions with the
 * connection. The library leaves them alone: one that is not answered keeps the process alive for
 * as long as the Sentinel keeps it open.
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
