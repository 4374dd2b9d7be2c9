import type { Protocol } from "@holdfast/protocol";
import type { ReportError } from "./errors.js";
import { type Event, readEvent, unknownEvent } from "./event.js";
import { inOrder } from "./in-order.js";
import { createListeners, type Handler } from "./listeners.js";

/** Remembers who listens to events that are sent to this client itself, whatever channels it has joined. */
export interface DirectEvents {
  on(event: string, handler: Handler): () => void;
  deliver(event: Event): void;
}

/** Channels of the library's own, which no protocol can define, carry them. */
export function isDirect({ channel }: Event): boolean {
  return channel.startsWith("$");
}

export function createDirectEvents(protocol: Protocol, report: ReportError): DirectEvents {
  const listeners = createListeners("$direct", report);
  const enqueue = inOrder(listeners.call);
  return {
    on(event, handler) {
      if (!protocol.direct.has(event)) throw unknownEvent(`The protocol ${protocol.name}`, event);
      return listeners.add(event, handler);
    },
    deliver(message) {
      const schema = protocol.direct.get(message.event);
      const delivery = schema && listeners.has(message.event) && readEvent(schema, message, report);
      if (delivery) enqueue(delivery);
    },
  };
}
