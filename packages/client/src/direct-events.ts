import type { ClientMessage, ClientMessageOf, Protocol, ServerMessageOf } from "@holdfast/protocol";
import { checkEvent } from "./check-event.js";
import type { ReportError } from "./errors.js";
import { type Delivery, readEvent, reportDropped } from "./event.js";
import type { HandlerWatch } from "./handler-watch.js";
import { inOrder, type Sized } from "./in-order.js";
import { createListeners, type AnyHandler } from "./listeners.js";

/**
 * Remembers who listens to events that are sent to this client itself, whatever channels it has
 * joined.
 */
export interface DirectListeners {
  /** `name` is an event or a group. */
  on(name: string, handler: AnyHandler): () => void;
  /** `size`: of its frame. */
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

/** An event on its way to its handlers, and how its sender is told what became of it. */
interface Reception extends Sized {
  readonly delivery: Delivery;
  readonly settle: (failure?: Failure) => void;
  failure?: Failure;
}

/** Channels of the library's own, which no protocol can define, carry them. */
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
      // Handlers come and go while an event waits for the one before it.
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
      // On the connection that brought the event or not at all: with it, its sender has given up.
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
