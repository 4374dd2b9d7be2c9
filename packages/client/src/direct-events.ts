import type { ClientMessage, ClientMessageOf, Protocol, ServerMessageOf } from "@holdfast/protocol";
import { checkEvent } from "./check-event.js";
import type { ReportError } from "./errors.js";
import { type Delivery, readEvent, reportDropped } from "./event.js";
import type { HandlerWatch } from "./handler-watch.js";
import { inOrder, type Sized } from "./in-order.js";
import { createListeners, type AnyHandler } from "./listeners.js";

/**
 * The handlers of direct events, which the server sends to this session or user independently of
 * channels.
 */
export interface DirectListeners {
  /** `name` is an event or a group. */
  on(name: string, handler: AnyHandler): () => void;
  /** `size` is the size of the event's frame. */
  deliver(event: ServerMessageOf<"event">, size: number): void;
}

export interface DirectListenersParts {
  readonly protocol: Protocol;
  readonly connection: { readonly link: object | undefined };
  readonly send: (message: ClientMessage) => void;
  readonly report: ReportError;
  readonly watch: HandlerWatch;
}

type Failure = ClientMessageOf<"ack">["data"]["failure"];

/** A direct event in the queue, with the function that acknowledges the event to the sender. */
interface Reception extends Sized {
  readonly delivery: Delivery;
  readonly settle: (failure?: Failure) => void;
  failure?: Failure;
}

/**
 * Direct events arrive on reserved channels, whose names begin with `$`. No protocol can declare
 * such a channel.
 */
export function isDirect({ channel }: ServerMessageOf<"event">): boolean {
  return channel.startsWith("$");
}

export function createDirectEvents({
  protocol,
  connection,
  send,
  report,
  watch,
}: DirectListenersParts): DirectListeners {
  const channel = "$direct";
  const listeners = createListeners(channel, report, watch);

  const enqueue = inOrder<Reception>({
    handle(reception) {
      const { delivery } = reception;
      // Handlers may have been removed while the event was queued.
      if (!listeners.hears(delivery.event)) reception.failure = "not_handled";
      return listeners.handle(delivery, () => (reception.failure = "handler_failed"));
    },
    finished: ({ settle, failure }) => settle(failure),
    dropsAll: false,
    dropped(items) {
      for (const { settle } of items) settle("handler_failed");
      reportDropped(channel, items.length, report);
    },
  });

  return {
    on(name, handler) {
      checkEvent(`The protocol ${protocol.name}`, name, protocol.direct);
      return listeners.add(name, handler);
    },
    deliver(message, size) {
      const { event, metadata } = message;
      const { link } = connection;
      // The ack must use the connection that delivered the event. If that connection has ended, the
      // sender no longer waits for the ack.
      const settle = (failure?: Failure): void => {
        if (metadata?.ack && metadata.id && connection.link === link)
          send({ type: "ack", data: { id: metadata.id, failure } });
      };
      const schema = protocol.direct.get(event);
      if (!schema || !listeners.hears(event)) return settle("not_handled");
      const delivery = readEvent(schema, message, report);
      if (delivery) enqueue({ delivery, settle, size });
      else settle("invalid");
    },
  };
}
