import type { ClientMessage } from "./client-message.js";
import type { MessageDoc } from "./messages/envelope.js";
import type { Schema } from "./schema.js";
import type { ServerMessage } from "./server-message.js";
import { ack, ackDoc } from "./messages/ack.js";
import { auth, authDoc } from "./messages/auth.js";
import { authExpiring, authExpiringDoc } from "./messages/auth-expiring.js";
import { authResponse, authResponseDoc } from "./messages/auth-response.js";
import { cancel, cancelDoc } from "./messages/cancel.js";
import { connected, connectedDoc } from "./messages/connected.js";
import { error, errorDoc } from "./messages/error.js";
import { event, eventDoc } from "./messages/event.js";
import { goaway, goawayDoc } from "./messages/goaway.js";
import { listSubscriptions, listSubscriptionsDoc } from "./messages/list-subscriptions.js";
import { ping, pingDoc } from "./messages/ping.js";
import { pong, pongDoc } from "./messages/pong.js";
import { presence, presenceDoc } from "./messages/presence.js";
import { request, requestDoc } from "./messages/request.js";
import { reset, resetDoc } from "./messages/reset.js";
import { response, responseDoc } from "./messages/response.js";
import { setPresence, setPresenceDoc } from "./messages/set-presence.js";
import { stateDeleted, stateDeletedDoc } from "./messages/state-deleted.js";
import { stateSync, stateSyncDoc } from "./messages/state-sync.js";
import { stateUpdate, stateUpdateDoc } from "./messages/state-update.js";
import { subscribe, subscribeDoc } from "./messages/subscribe.js";
import { subscribeResponse, subscribeResponseDoc } from "./messages/subscribe-response.js";
import { subscriptions, subscriptionsDoc } from "./messages/subscriptions.js";
import { unsubscribe, unsubscribeDoc } from "./messages/unsubscribe.js";
import { unsubscribed, unsubscribedDoc } from "./messages/unsubscribed.js";
import { unsubscribeResponse, unsubscribeResponseDoc } from "./messages/unsubscribe-response.js";

/** The schema and the documentation of one message. */
export interface MessageEntry<Message extends { type: string }> {
  readonly schema: Schema<Message, unknown>;
  readonly doc: MessageDoc<Message>;
  /**
   * The type of the answer, which repeats the correlation id of this message. Absent if this
   * message has no answer.
   */
  readonly answeredBy?: ServerMessage["type"];
}

type Entries<Union extends { type: string }> = {
  readonly [Type in Union["type"]]: MessageEntry<Extract<Union, { type: Type }>>;
};

/**
 * Every message that a client may send, in the order of the reference. If a message of the union is
 * missing here, the file does not compile.
 */
export const clientMessages = {
  auth: { schema: auth, doc: authDoc, answeredBy: "auth_response" },
  subscribe: { schema: subscribe, doc: subscribeDoc, answeredBy: "subscribe_response" },
  unsubscribe: { schema: unsubscribe, doc: unsubscribeDoc, answeredBy: "unsubscribe_response" },
  list_subscriptions: { schema: listSubscriptions, doc: listSubscriptionsDoc, answeredBy: "subscriptions" },
  request: { schema: request, doc: requestDoc, answeredBy: "response" },
  cancel: { schema: cancel, doc: cancelDoc },
  ack: { schema: ack, doc: ackDoc },
  set_presence: { schema: setPresence, doc: setPresenceDoc },
  ping: { schema: ping, doc: pingDoc, answeredBy: "pong" },
  pong: { schema: pong, doc: pongDoc },
} as const satisfies Entries<ClientMessage>;

/** Every message that a server may send, in the order of the reference. */
export const serverMessages = {
  connected: { schema: connected, doc: connectedDoc },
  auth_response: { schema: authResponse, doc: authResponseDoc },
  auth_expiring: { schema: authExpiring, doc: authExpiringDoc },
  subscribe_response: { schema: subscribeResponse, doc: subscribeResponseDoc },
  unsubscribe_response: { schema: unsubscribeResponse, doc: unsubscribeResponseDoc },
  unsubscribed: { schema: unsubscribed, doc: unsubscribedDoc },
  subscriptions: { schema: subscriptions, doc: subscriptionsDoc },
  response: { schema: response, doc: responseDoc },
  event: { schema: event, doc: eventDoc },
  reset: { schema: reset, doc: resetDoc },
  presence: { schema: presence, doc: presenceDoc },
  state_sync: { schema: stateSync, doc: stateSyncDoc },
  state_update: { schema: stateUpdate, doc: stateUpdateDoc },
  state_deleted: { schema: stateDeleted, doc: stateDeletedDoc },
  ping: { schema: ping, doc: pingDoc },
  pong: { schema: pong, doc: pongDoc },
  goaway: { schema: goaway, doc: goawayDoc },
  error: { schema: error, doc: errorDoc },
} as const satisfies Entries<ServerMessage>;

export type Direction = "client" | "server";

/**
 * An entry of `clientMessages` or `serverMessages`, for code that handles all messages in the same
 * way.
 */
export interface WireMessage {
  readonly type: ClientMessage["type"] | ServerMessage["type"];
  readonly sentBy: Direction;
  readonly schema: Schema;
  readonly sentWhen: string;
  readonly example: ClientMessage | ServerMessage;
  readonly answeredBy: ServerMessage["type"] | undefined;
}

interface AnyEntry {
  readonly schema: Schema;
  readonly doc: MessageDoc<ClientMessage | ServerMessage>;
  readonly answeredBy?: ServerMessage["type"];
}

function rows(sentBy: Direction, entries: { readonly [type: string]: AnyEntry }): WireMessage[] {
  return Object.entries(entries).map(([type, { schema, doc, answeredBy }]) => ({
    type: type as WireMessage["type"],
    sentBy,
    schema,
    sentWhen: doc.sentWhen,
    example: doc.example,
    answeredBy,
  }));
}

/**
 * The entries of both tables: first the messages that a client may send, then the messages that a
 * server may send.
 */
export const wireMessages: readonly WireMessage[] = [
  ...rows("client", clientMessages),
  ...rows("server", serverMessages),
];
