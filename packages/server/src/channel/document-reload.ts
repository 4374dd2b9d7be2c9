import type { Cancel, ChannelId } from "@holdfast/protocol";
import type { ServerEnvironment } from "../environment.js";
import type { Logger } from "../observe/logger.js";
import type { DocumentCopy } from "./document-copy.js";

/**
 * Delay before the application's database is asked again after a failure. Extended at random to up
 * to twice this value, because all channels fail at the same time.
 */
const RELOAD_DELAY_MS = 5_000;

export interface DocumentReloadParts {
  readonly id: ChannelId;
  readonly environment: ServerEnvironment;
  readonly logger: Logger;
  /**
   * Loads the channel's document from the application's database into the broker. The document then
   * arrives on this instance as a change.
   */
  loadDocument(id: ChannelId): Promise<void> | undefined;
}

/**
 * Loads a channel's missing document from the application's database, and retries until loading
 * succeeds, the document arrives from another instance, or the channel closes. Otherwise, the
 * members of the channel would stay without the document.
 */
export class DocumentReload {
  readonly #parts: DocumentReloadParts;
  #cancelRetry: Cancel | undefined;
  #isClosed = false;

  constructor(parts: DocumentReloadParts) {
    this.#parts = parts;
  }

  run(copy: DocumentCopy): void {
    const { id, environment, logger, loadDocument } = this.#parts;
    loadDocument(id)?.catch((error: unknown) => {
      logger.error({ channel: id.wire, err: error }, "loading the document of a channel failed, retrying");
      // If the document is lost twice in a row, both runs wait for the same answer of the database.
      this.#cancelRetry?.();
      if (this.#isClosed) return;
      this.#cancelRetry = environment.afterIdle(RELOAD_DELAY_MS * (1 + environment.random()), () => {
        if (copy.isMissing) this.run(copy);
      });
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
  }
}
