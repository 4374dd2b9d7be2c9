import {
  HoldfastError,
  type Immutable,
  type ProtocolDefinition,
  type DocumentChannelName,
  type DocumentOf,
} from "@holdfast/protocol";
import { type Channel, INSIDE, type Inside, type UntypedChannel } from "./channel.js";
import { createDocumentFeed, type DocumentFeed } from "./document-feed.js";

/** The document of a channel, as seen through one handle. */
export interface ChannelDocument<Document> {
  /**
   * Returns the current document. Parts that did not change stay the same objects, even list items
   * that moved, if they have an `id`. After a dropped connection the last document stays until the
   * server has sent the changes. The result is `undefined` if the channel has no document, the
   * document has not arrived, this handle has no subscriber, or the channel is refused. If the
   * handle has a subscriber and the channel's status is `subscribed`, `undefined` means that there
   * is no document.
   */
  get(): Immutable<Document> | undefined;
  /**
   * Calls `listener` at once with the current document, and then on every change, after the
   * handlers of earlier events. `previous` is undefined in the first call. The handle wants the
   * channel while the document has a listener. If the listener returns a promise, the client does
   * not wait for the promise; if the promise rejects, `onError` receives the error. Returns the
   * unsubscribe function. If you unsubscribe and subscribe again in one turn, the document is still
   * available.
   */
  subscribe(
    listener: (document: Immutable<Document> | undefined, previous: Immutable<Document> | undefined) => void,
  ): () => void;
}

/** One feed per handle, so that `documentOf` returns the same object in every render. */
const made = /* @__PURE__ */ new WeakMap<Inside, DocumentFeed>();

/**
 * Returns the document of a channel, which the client keeps current. You must not modify any part
 * of the document. In development its objects and lists are frozen; a Map or Set is not frozen,
 * although its type is read-only, and neither is a Date. A page that does not call this function
 * does not download its code.
 *
 * @throws HoldfastError INVALID_VALUE if the argument is not a handle of a channel that declares a
 *   document
 */
export function documentOf<P extends ProtocolDefinition, C extends DocumentChannelName<P>>(
  channel: Channel<P, C>,
): ChannelDocument<DocumentOf<P, C>> {
  const inside = (channel as unknown as Partial<UntypedChannel> | undefined)?.[INSIDE];
  const schema = inside?.id.contract.document;
  if (!schema) {
    const sentence = "documentOf: expected the handle of a channel that declares a document.";
    throw new HoldfastError("INVALID_VALUE", sentence, { field: "channel" });
  }
  const found = made.get(inside) ?? createDocumentFeed(inside, schema);
  made.set(inside, found);
  // The schema that the types are inferred from has validated the document.
  return found as ChannelDocument<never>;
}
