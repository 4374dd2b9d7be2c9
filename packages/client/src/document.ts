import {
  HoldfastError,
  type Immutable,
  type ProtocolDefinition,
  type DocumentChannelName,
  type DocumentOf,
} from "@holdfast/protocol";
import { type Channel, INSIDE, type Inside, type UntypedChannel } from "./channel.js";
import { createDocumentFeed, type DocumentFeed } from "./document-feed.js";

/** The document of a channel, as one handle of it knows. */
export interface ChannelDocument<Document> {
  /**
   * The same object for as long as nothing changed, and so is every part of it; an item of a list
   * that has an `id`, also where it has moved. After a drop the last one stays until the server has
   * sent what changed. `undefined` means that there is none, that it is still on its way, that
   * nobody has subscribed to it by this handle, or that the channel is refused. If the handle
   * subscribes to it and the status of the channel is `subscribed`, there is none.
   */
  get(): Immutable<Document> | undefined;
  /**
   * Calls `listener` at once with the present document, and then on every change, after the
   * handlers of the events in front of it. `previous` is undefined in the first call. The channel
   * stays joined for as long as there is a listener. If the listener returns a promise, nothing
   * waits for it; if that rejects, `onError` is told. Returns its unsubscribe. If you subscribe
   * again at once, before anything is awaited, the document is still there.
   */
  subscribe(
    listener: (document: Immutable<Document> | undefined, previous: Immutable<Document> | undefined) => void,
  ): () => void;
}

/** One for each handle, so that it can be asked for again in every render. */
const made = /* @__PURE__ */ new WeakMap<Inside, DocumentFeed>();

/**
 * The document of a channel, kept current. Nobody changes any part of it: in development its
 * objects and lists are frozen; a Map or a Set is not, though its type is read-only, nor is a Date,
 * whose type is not either. A page that does not call this does not download it.
 *
 * @throws HoldfastError INVALID_VALUE for anything but the handle of a channel that declares a
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
  // Validated by the schema that the types are inferred from.
  return found as ChannelDocument<never>;
}
