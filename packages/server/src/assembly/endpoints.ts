import { checkOptions } from "../call-options.js";
import type { Logger } from "../observe/logger.js";
import { type AttachOptions, closed } from "../server.js";
import type { ServerSettings } from "../settings.js";
import { type HttpServer, listen, type Listening, type ListenOptions } from "../transport/listen.js";
import { attachToNode } from "../transport/node.js";
import type { Connections } from "./connections.js";

/**
 * The http servers through which the server can be reached: those it is attached to, and those that
 * `listen` created.
 */
export class Endpoints {
  readonly #connections: Connections;
  readonly #settings: ServerSettings;
  readonly #logger: Logger;
  readonly #stops = new Set<() => Promise<void> | void>();

  constructor(connections: Connections, settings: ServerSettings) {
    this.#connections = connections;
    this.#settings = settings;
    this.#logger = settings.logger;
  }

  /** @throws HoldfastError as `server.attach` */
  attach(http: HttpServer, options: AttachOptions = {}): () => void {
    if (this.#connections.isClosing) throw closed("attach");
    checkOptions("attach", options, ["path"]);
    const { path = "/ws" } = options;
    const detach = attachToNode(http, this.#connections.admission, {
      path,
      maxMessageBytes: this.#settings.limits.messageBytes,
      upgradeTimeoutMs: this.#settings.authTimeoutMs,
      logger: this.#logger,
    });
    this.#stops.add(detach);
    return () => {
      this.#stops.delete(detach);
      detach();
    };
  }

  /** @param server the server that the new http server is attached to */
  async listen(server: Parameters<typeof listen>[0], port: number, options: ListenOptions): Promise<Listening> {
    if (this.#connections.isClosing) throw closed("listen");
    const listening = await listen(server, port, options, this.#logger);
    if (this.#connections.isClosing) {
      await listening.close();
      throw closed("listen");
    }
    this.#stops.add(() => listening.close());
    return listening;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#stops].map((stop) => stop()));
    this.#stops.clear();
  }
}
